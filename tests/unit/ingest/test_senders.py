"""The sender against a real HTTP server: what it repeats, what it gives up, and under which key."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from email.utils import format_datetime

import orjson
import pytest
from structlog.testing import capture_logs

from streaming.ingest.clients import ApiClient
from streaming.ingest.senders import BODY_EVENTS_MAX, PausePolicy, Sender
from tests.unit.simulator.lines import Event
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi
from tests.unit.simulator.sleepers import START, Sleeper


@contextmanager
def make_sender(
    url: str, sleeper: Sleeper | None = None, api_key: str | None = None
) -> Iterator[Sender]:
    client = ApiClient(url, api_key)
    sleeper = sleeper or Sleeper()
    try:
        yield Sender(client, sleeper.clock, sleeper.sleep)
    finally:
        client.close()


def make_events(count: int = 3, start: int = 0) -> list[Event]:
    return [{"stream_id": "a", "number": number} for number in range(start, start + count)]


def find_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_events_arrive_as_ndjson_with_a_key():
    with ScriptedApi() as api, make_sender(api.url, api_key="secret") as sender:
        sender.send_events(make_events(3))
    request = api.requests[0]
    assert request.path == "/api/v1/ingest"
    assert request.headers["Content-Type"] == "application/x-ndjson"
    assert request.headers["Authorization"] == "Bearer secret"
    assert [orjson.loads(line) for line in request.body.splitlines()] == make_events(3)
    assert sender.events_sent == 3


def test_no_events_make_no_request():
    with ScriptedApi() as api, make_sender(api.url) as sender:
        sender.send_events([])
    assert api.requests == []


def test_many_events_are_cut_into_bodies_in_order():
    events = make_events(2 * BODY_EVENTS_MAX + 1)
    with ScriptedApi() as api, make_sender(api.url) as sender:
        sender.send_events(events)
    assert [body.count(b"\n") + 1 for body in api.bodies] == [BODY_EVENTS_MAX, BODY_EVENTS_MAX, 1]
    assert [orjson.loads(line) for body in api.bodies for line in body.splitlines()] == events


def test_a_refused_connection_is_tried_again_with_the_same_body_and_key():
    port = find_free_port()
    with ExitStack() as stack:
        apis: list[ScriptedApi] = []

        def start_api(_: float) -> None:
            if len(sleeper.pauses_s) == 3:
                apis.append(stack.enter_context(ScriptedApi(port=port)))

        sleeper = Sleeper(start_api)
        sender = stack.enter_context(make_sender(f"http://127.0.0.1:{port}", sleeper))
        with capture_logs() as logs:
            sender.send_events(make_events(3))
    assert sleeper.pauses_s == [0.5, 1.0, 2.0]
    assert [line["event"] for line in logs] == ["request_blocked", "request_unblocked"]
    assert len(apis[0].bodies) == 1
    assert sender.events_sent == 3


@pytest.mark.parametrize("reply", [Reply(503), Reply(500), Reply(429), Reply(None), Reply(302)])
def test_what_is_not_final_is_tried_again_with_the_same_body_and_key(reply):
    with ScriptedApi([reply, reply]) as api, make_sender(api.url) as sender:
        sender.send_events(make_events(3))
    assert len(api.bodies) == 3
    assert len(set(api.bodies)) == len(set(api.keys)) == 1


@pytest.mark.parametrize("status", [429, 503])
def test_retry_after_is_honoured(status):
    sleeper = Sleeper()
    replies = [Reply(status, {"Retry-After": "7"}), Reply(status, {"Retry-After": "3"})]
    with ScriptedApi(replies) as api, make_sender(api.url, sleeper) as sender:
        sender.send_events(make_events(3))
    assert sleeper.pauses_s == [7.0, 3.0]
    assert len(set(api.keys)) == 1


@pytest.mark.parametrize(
    ("wish", "pause_s"),
    [
        (None, 4.0),
        ("12", 12.0),
        ("99999", 300.0),
        ("soon", 4.0),
        (format_datetime(START + timedelta(seconds=9), usegmt=True), 9.0),
        (format_datetime(START - timedelta(seconds=9), usegmt=True), 0.0),
    ],
)
def test_a_pause_follows_the_wish_within_bounds(wish, pause_s):
    assert PausePolicy().find_pause_s(4, wish, Sleeper().clock) == pause_s


def test_pauses_stop_growing():
    policy, clock = PausePolicy(), Sleeper().clock
    assert [policy.find_pause_s(tries, None, clock) for tries in (5, 6, 5000)] == [8.0, 10.0, 10.0]


@pytest.mark.parametrize("status", [400, 401, 413, 422])
def test_a_refused_body_is_logged_and_the_next_one_sent(status):
    problem = Reply(status, body=b'{"title": "no such thing"}')
    with ScriptedApi([problem]) as api, make_sender(api.url) as sender, capture_logs() as logs:
        sender.send_events(make_events(2))
        sender.send_events(make_events(3, start=2))
    assert [line["event"] for line in logs] == ["body_refused"]
    assert logs[0]["status"] == status
    assert "no such thing" in logs[0]["answer"]
    assert len(api.bodies) == len(set(api.bodies)) == 2
    assert sender.events_sent == 3


def test_refusals_in_a_row_do_not_flood_the_log():
    replies = [Reply(401)] * 20
    with ScriptedApi(replies) as api, make_sender(api.url) as sender, capture_logs() as logs:
        for number in range(20):
            sender.send_events(make_events(1, start=number))
    assert len(logs) == 1


def test_rows_the_api_rejects_are_logged():
    answer = Reply(202, body=b'{"accepted": 2, "rejected": 1, "errors": [{"reason": "bad user"}]}')
    with ScriptedApi([answer]) as api, make_sender(api.url) as sender, capture_logs() as logs:
        sender.send_events(make_events(3))
    assert [(line["event"], line["count"]) for line in logs] == [("events_rejected", 1)]
    assert "bad user" in logs[0]["answer"]


def test_two_bodies_never_share_a_key():
    replies = [Reply(503), Reply(), Reply(400), Reply(None), Reply(429), Reply()]
    with ScriptedApi(replies) as api, make_sender(api.url) as sender:
        for number in range(8):
            sender.send_events(make_events(2, start=number))
    body_by_key = dict(zip(api.keys, api.bodies, strict=True))
    assert all(body_by_key[key] == body for key, body in zip(api.keys, api.bodies, strict=True))
    assert len(body_by_key) == 8
