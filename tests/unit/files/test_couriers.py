"""Couriers against a real HTTP server: what counts as decided, and which rows were refused."""

from datetime import timedelta

import orjson
import pytest

from core.events import RejectedRow
from streaming.connectors.files.bodies import Window
from streaming.connectors.files.couriers import BodyRefusedError, Courier, Outcome
from streaming.connectors.files.tallies import LateTally, Tally
from streaming.ingest.clients import ApiClient
from streaming.ingest.senders import Sender
from tests.unit.files.test_bodies import make_block, make_maker, write_times
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi
from tests.unit.simulator.sleepers import Sleeper

OLD = "timestamp lies more than 20 days in the past"


def receipt(accepted: int, rejected: int, errors: list[tuple[int, str]]) -> Reply:
    named = [{"index": index, "reason": reason} for index, reason in errors]
    said = {"accepted": accepted, "rejected": rejected, "errors": named}
    return Reply(202, body=orjson.dumps(said))


def deliver(api: ScriptedApi, count: int, window: Window | None = None, generation: int = 0):
    (body,) = make_maker().make(make_block(write_times(count), first=11))
    sleeper, client = Sleeper(), ApiClient(api.url)
    try:
        sender = Sender(client, sleeper.clock, sleeper.sleep)
        courier = Courier(sender, sleeper.clock, window or Window())
        return courier.deliver(body, generation=generation)
    finally:
        client.close()


def test_a_body_is_sent_until_it_is_decided_and_under_one_key():
    with ScriptedApi([Reply(503), Reply(None), Reply(429), receipt(3, 0, [])]) as api:
        outcome = deliver(api, 3)
    assert (outcome.accepted, outcome.rejected) == (3, [])
    assert len(api.keys) == 4
    assert len(set(api.keys)) == 1


def test_another_generation_is_another_request():
    with ScriptedApi([receipt(3, 0, [])] * 3) as api:
        for generation in (0, 0, 1):
            deliver(api, 3, generation=generation)
    assert api.keys[0] == api.keys[1] != api.keys[2]
    assert len(set(api.bodies)) == 1


def test_refused_rows_are_named_by_their_place_in_the_file():
    with ScriptedApi([receipt(3, 2, [(0, "no"), (4, "never")])]) as api:
        outcome = deliver(api, 5)
    assert [(row.index, row.reason) for row in outcome.rejected] == [(11, "no"), (15, "never")]


def test_a_body_that_is_refused_whole_stops_everything_with_the_words_of_the_api():
    problem = Reply(401, body=b'{"detail": "Show a key."}')
    with ScriptedApi([problem]) as api, pytest.raises(BodyRefusedError, match=r"\(401\): Show a"):
        deliver(api, 1)


def test_what_is_too_old_is_named_beyond_the_first_hundred():
    window = Window()
    with ScriptedApi([receipt(0, 5, [(0, OLD), (1, OLD)])]) as api:
        outcome = deliver(api, 5, window)
    assert window.past == timedelta(days=20)
    assert [row.index for row in outcome.rejected] == [11, 12, 13, 14, 15]
    assert outcome.unnamed == 0


@pytest.mark.parametrize("reason", [OLD, "the key does not reach this stream"])
def test_what_cannot_be_named_for_certain_is_counted(reason):
    with ScriptedApi([receipt(1, 4, [(0, reason), (1, reason)])]) as api:
        outcome = deliver(api, 5)
    assert [row.index for row in outcome.rejected] == [11, 12]
    assert outcome.unnamed == 2


def test_a_tally_tells_reasons_rates_and_hints():
    with ScriptedApi([receipt(1, 4, [(0, OLD), (1, "not JSON: x"), (2, "not JSON: y")])]) as api:
        outcome = deliver(api, 5)
    tally = Tally()
    tally.note(5, outcome)
    assert tally.describe(2.0)["reasons"] == {
        "not JSON": 2,
        OLD: 1,
        "refused by the API, which names only the first of a body": 1,
    }
    told = "\n".join(tally.tell(2.0))
    assert "5 rows read, 1 events accepted, 4 rejected in 2.0 s" in told
    assert "INGEST_PAST_DAYS" in told
    assert "--shift-to-now" in told


def test_reasons_without_end_are_bounded():
    tally = Tally()
    for number in range(61):
        tally.note(1, Outcome(rejected=[RejectedRow(number, f"reason {number}")]))
    assert len(tally.rejected) == 51
    assert tally.rejected["other reasons"] == 11


def test_what_lies_far_behind_its_stream_is_told_as_late():
    late = LateTally(timedelta(minutes=5))
    times = write_times(12, timedelta(minutes=1))
    blocks = (make_block(part) for part in (times[6:], times))
    first, second = (body for block in blocks for body in make_maker().make(block))
    assert late.count(first) == 0
    # The newest was minute 11: minute 6 may still change, and those before it may not.
    assert late.count(second) == 6
