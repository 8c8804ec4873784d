"""Tuning watches: changes arrive, and a database that is away changes nothing."""

import dataclasses
from collections.abc import Iterator

import asyncpg
import pytest
from structlog.testing import capture_logs

from core.tunings import NO_TUNINGS, TuningRule
from db.tunings import TuningStore
from streaming.flow import tuning_watches
from streaming.flow.tuning_watches import TuningWatch
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.proxies import proxying
from tests.fixtures.waiting import eventually

RULE = TuningRule("tun_a", "north*", strictness=2.0)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tuning_watches, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(tuning_watches, "ANSWER_S_MAX", 0.5)


@pytest.fixture
def watch(database_url: str) -> Iterator[TuningWatch]:
    watch = TuningWatch(database_url)
    watch.start()
    yield watch
    watch.stop()


async def test_rules_arrive_as_they_are_made_changed_and_deleted(
    watch: TuningWatch, connection: asyncpg.Connection
):
    store = TuningStore(connection)
    await store.insert(RULE, actor=ACTOR)
    await eventually(lambda: watch.current.rules, holds=lambda rules: rules == (RULE,))
    first = watch.current
    changed = dataclasses.replace(RULE, strictness=3.0)
    await store.replace(changed, actor=ACTOR)
    await eventually(lambda: watch.current.rules, holds=lambda rules: rules == (changed,))
    assert watch.current.version != first.version
    # What somebody took before stays what it was.
    assert first.rules == (RULE,)
    await store.delete(RULE.tuning_id, actor=ACTOR)
    await eventually(lambda: watch.current, holds=lambda current: current == NO_TUNINGS)


async def test_rules_that_stay_are_not_read_again(
    database_url: str, connection: asyncpg.Connection
):
    await TuningStore(connection).insert(RULE, actor=ACTOR)
    async with proxying(database_url) as (proxy, url):
        watch = TuningWatch(url)
        watch.start()
        await eventually(lambda: watch.current.rules)
        first, sent = watch.current, proxy.bytes_in
        # Some dozen looks further.
        await eventually(lambda: proxy.bytes_in, holds=lambda now: now > sent + 1000)
        assert watch.current is first
        watch.stop()


async def test_while_the_database_is_away_the_last_rules_hold_and_it_is_said_once(
    database_url: str, connection: asyncpg.Connection
):
    store = TuningStore(connection)
    await store.insert(RULE, actor=ACTOR)
    async with proxying(database_url) as (proxy, url):
        watch = TuningWatch(url)
        with capture_logs() as said:
            watch.start()
            await eventually(lambda: watch.current.rules)
            proxy.hang()
            await eventually(lambda: [line["event"] for line in said].count("tunings_away"))
            await store.delete(RULE.tuning_id, actor=ACTOR)
            # It tries again and again, and says so only once.
            tried = proxy.accepted
            await eventually(lambda: proxy.accepted, holds=lambda now: now > tried + 1)
            assert watch.current.find("northlight", "chat_count").strictness == 2.0
            proxy.go_on()
            await eventually(lambda: watch.current, holds=lambda current: current == NO_TUNINGS)
            watch.stop()
    events = [line["event"] for line in said]
    assert events == ["tunings_read", "tunings_away", "tunings_read", "tunings_back"]


async def test_a_database_that_never_was_there_changes_nothing():
    watch = TuningWatch("postgresql://nobody@127.0.0.1:1/none")
    with capture_logs() as said:
        watch.start()
        await eventually(lambda: len(said))
        assert watch.current is NO_TUNINGS
        watch.stop()
    assert [line["event"] for line in said] == ["tunings_away"]


def test_a_watch_that_was_never_started_can_be_stopped():
    TuningWatch("postgresql://nobody@127.0.0.1:1/none").stop()
