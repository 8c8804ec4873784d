"""Sending: what a receiver gets, how often, and when."""

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest

from core.deliveries import DETAIL_LENGTH_MAX, Attempt, DeliveryState, Outcome
from db.alert_rules import AlertRuleStore
from db.deliveries import DeliveryStore, Ending
from tests.fixtures.alerts import list_states, name_moment, write_route, write_rule
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.mail_servers import taking_mail
from tests.fixtures.receivers import Manners, Receiver, receiving
from tests.integration.alerts.conftest import Bench

ONE, TWO = map(name_moment, (1, 2))
KEY = bytes(range(32))
SECRET = "whsec_" + base64.b64encode(KEY).decode()
REASON = "SELECT reason FROM deliveries"


async def test_a_webhook_is_signed_and_says_the_same_whenever_it_is_sent(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url, secret=SECRET)
    await write_rule(bench.connection, route)
    bench.receiver.manners = [Manners(500, text=f"no way at {bench.receiver.url}")]
    await bench.write(1)
    await bench.run()
    # What the receiver echoes of the target is not kept.
    reason = await bench.connection.fetchval(REASON)
    assert reason == "Status 500. no way at …"
    bench.clock.advance(timedelta(seconds=2))
    await bench.send()
    first, second = bench.receiver.received
    assert (first.body, first.event["id"]) == (second.body, first.headers["webhook-id"])
    assert first.headers["Idempotency-Key"] == first.headers["webhook-id"]
    assert first.headers["Content-Type"] == "application/cloudevents+json; charset=utf-8"
    for each in (first, second):
        head = f"{each.headers['webhook-id']}.{each.headers['webhook-timestamp']}.".encode()
        digest = hmac.new(KEY, head + each.body, hashlib.sha256).digest()
        assert each.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"
    assert first.headers["webhook-timestamp"] != second.headers["webhook-timestamp"]
    assert await list_states(bench.connection) == [("delivered", 2)]


@pytest.mark.parametrize("status", [301, 404])
async def test_what_is_refused_has_failed_at_once(bench: Bench, status: int):
    await write_rule(bench.connection, await write_route(bench.connection, bench.receiver.url))
    elsewhere = {"Location": bench.receiver.url}
    bench.receiver.manners = [Manners(status, elsewhere, text="never " * 10_000)]
    await bench.write(1)
    await bench.run()
    assert await list_states(bench.connection) == [("failed", 1)]
    reason = await bench.connection.fetchval(REASON)
    assert reason.startswith(f"Status {status}. never")
    assert len(reason) <= DETAIL_LENGTH_MAX + 20


async def test_who_asks_for_patience_is_given_it(bench: Bench):
    await write_rule(bench.connection, await write_route(bench.connection, bench.receiver.url))
    bench.receiver.manners = [Manners(429, {"Retry-After": "30"})]
    await bench.write(1)
    await bench.run()
    bench.clock.advance(timedelta(seconds=29))
    assert await bench.send() == 0
    bench.clock.advance(timedelta(seconds=1))
    assert await bench.send() == 1


async def test_a_receiver_that_is_away_for_a_day_is_given_up(bench: Bench, dead_port: int):
    await write_rule(
        bench.connection,
        await write_route(bench.connection, f"http://127.0.0.1:{dead_port}/"),
    )
    await bench.write(1)
    await bench.run()
    assert await bench.connection.fetchval(REASON) == "Nobody answers there."
    bench.clock.advance(timedelta(hours=24))
    await bench.send()
    assert await list_states(bench.connection) == [("failed", 2)]


async def test_a_route_sends_no_more_than_it_may_in_a_minute(bench: Bench):
    route = await write_route(bench.connection, bench.receiver.url, rate_per_minute=2)
    await write_rule(bench.connection, route, group_by=["stream"])
    for number in range(1, 6):
        await bench.write(number, stream_id=f"s{number}")
    assert len(await bench.run()) == 2
    bench.clock.advance(timedelta(seconds=59))
    assert await bench.send() == 0
    bench.clock.advance(timedelta(seconds=1))
    assert await bench.send() == 2
    bench.clock.advance(timedelta(minutes=1))
    assert await bench.send() == 1
    assert len(bench.receiver.told) == 5


async def test_quiet_hours_hold_all_but_what_is_critical(bench: Bench):
    # It is Monday, ten o'clock.
    hours = {"days": ["mon"], "from": "09:00", "to": "10:30", "zone": "UTC"}
    async with receiving(Receiver()) as asleep:
        wakes = await write_route(bench.connection, bench.receiver.url, quiet=hours)
        sleeps = await write_route(bench.connection, asleep.url, quiet=hours, critical_passes=False)
        await write_rule(bench.connection, wakes, sleeps, severity="critical", stream="hall")
        await write_rule(bench.connection, wakes, sleeps, stream="yard")
        await bench.write(1)
        await bench.write(2, stream_id="yard")
        assert await bench.run() == [(ONE, "opened")]
        assert asleep.told == []
        bench.clock.advance(timedelta(minutes=30))
        await bench.send()
        assert bench.receiver.told == [(ONE, "opened"), (TWO, "opened")]
        assert sorted(asleep.told) == [(ONE, "opened"), (TWO, "opened")]


async def test_what_belongs_together_arrives_in_order(bench: Bench):
    await write_rule(bench.connection, await write_route(bench.connection, bench.receiver.url))
    bench.receiver.manners = [Manners(503)]
    await bench.write(1)
    await bench.run()
    at = bench.clock.now()
    await bench.write(1, started_at=at, ended_at=at)
    await bench.run()
    assert bench.receiver.told == [(ONE, "opened")]
    bench.clock.advance(timedelta(seconds=2))
    await bench.send()
    assert [each.told for each in bench.receiver.received] == [
        [(ONE, "opened")],
        [(ONE, "opened")],
        [(ONE, "ended")],
    ]


async def test_what_a_worker_that_died_had_at_hand_is_sent_by_another(bench: Bench):
    route_id = await write_route(bench.connection, bench.receiver.url)
    await write_rule(bench.connection, route_id)
    await bench.write(1)
    await bench.decide()
    store = DeliveryStore(bench.connection)
    now = bench.clock.now()
    async with bench.connection.transaction():
        (route,) = await store.list_waiting_routes(now)
        until = now + timedelta(seconds=17)
        (leased,) = await store.lease(route, limit=9, now=now, until=until)
    bench.clock.advance(timedelta(seconds=16))
    assert await bench.send() == 0
    bench.clock.advance(timedelta(seconds=1))
    bench.receiver.manners = [Manners(500)]
    assert await bench.send() == 1
    assert await list_states(bench.connection) == [("queued", 2)]
    # The first one was only slow. That it failed is no news by now; that it arrived would be.
    ending = Ending(DeliveryState.FAILED, now, "late")
    await store.end(leased, Attempt(Outcome.REFUSED, 400), ending, now)
    assert await list_states(bench.connection) == [("queued", 2)]
    outcomes = "SELECT outcome FROM delivery_attempts ORDER BY number"
    rows = await bench.connection.fetch(outcomes)
    assert [row["outcome"] for row in rows] == ["refused", "retried"]
    arrived = Attempt(Outcome.DELIVERED, 200)
    await store.end(leased, arrived, Ending(DeliveryState.DELIVERED, now), now)
    assert await list_states(bench.connection) == [("delivered", 2)]


async def test_what_is_sent_while_its_route_is_deleted_is_not_sent_again(bench: Bench):
    route_id = await write_route(bench.connection, bench.receiver.url)
    rule_id = await write_rule(bench.connection, route_id)
    await bench.write(1)
    await bench.decide()
    store, now = DeliveryStore(bench.connection), bench.clock.now()
    async with bench.connection.transaction():
        (route,) = await store.list_waiting_routes(now)
        (leased,) = await store.lease(route, limit=9, now=now, until=now)
    rules = AlertRuleStore(bench.connection)
    await rules.delete(rule_id, actor=ACTOR)
    await rules.delete_route(route_id, actor=ACTOR)
    await store.end(leased, Attempt(Outcome.RETRIED), Ending(DeliveryState.QUEUED, now), now)
    assert await list_states(bench.connection) == [("failed", 1)]
    assert await bench.connection.fetchval(REASON) == "The route was deleted."


async def test_apprise_sends_what_people_read(bench: Bench):
    target = f"json://127.0.0.1:{bench.receiver.port}/{'s' * 12}"
    await write_rule(
        bench.connection,
        await write_route(bench.connection, target, kind="apprise"),
        name="spikes",
        severity="critical",
    )
    bench.receiver.manners = [Manners(500)]
    await bench.write(1)
    await bench.decide()
    await bench.send()
    assert await list_states(bench.connection) == [("queued", 1)]
    assert "s" * 12 not in await bench.connection.fetchval(REASON)
    bench.clock.advance(timedelta(seconds=2))
    await bench.send()
    assert await list_states(bench.connection) == [("delivered", 2)]
    said = bench.receiver.received[-1].event
    assert (said["title"], said["type"]) == ("Critical: spikes: chat_spike in hall", "failure")
    assert said["message"].splitlines() == [
        "Chat spike: 2 messages/s, expected 0.2/s (hall, score 2)",
        "- much said: goal",
        f"https://x.example/app/moments/{ONE}",
    ]


async def test_a_mail_says_it_in_its_subject(bench: Bench):
    async with taking_mail() as server:
        target = f"mailto://127.0.0.1:{server.port}?from=t@a.example&to=ops@b.example"
        route = await write_route(bench.connection, target, kind="apprise", timeout_s=10.0)
        await write_rule(bench.connection, route, name="spikes")
        await bench.write(1)
        await bench.decide()
        await bench.send()
        assert await list_states(bench.connection) == [("delivered", 1)]
    (mail,) = server.mails
    assert mail["subject"] == "Warning: spikes: chat_spike in hall"
    assert "ops@b.example" in mail["to"]
    body = mail.get_body(("plain",))
    assert body is not None
    assert "- much said: goal" in body.get_content()
