"""Broadcasts: what has changed between two questions, across restarts too."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest

from core.clock import ManualClock
from core.tasks import end
from streaming.connectors.offsets import OffsetsUnreadableError, open_offsets
from streaming.connectors.twitch.broadcasts import BroadcastSource, Known, compare
from streaming.connectors.twitch.helix import Broadcast
from tests.fixtures.clocks import START
from tests.fixtures.helix_servers import HelixServer, make_stream
from tests.fixtures.outlets import sending
from tests.fixtures.waiting import eventually
from tests.unit.connectors.twitch.test_helix import make_access
from tests.unit.simulator.scripted_apis import ScriptedApi

NOW_MS = int(START.timestamp() * 1000)
KNOWN = {"north": Known("7", "Hello", "Chess")}


def see(**more: Any) -> Broadcast:
    return replace(Broadcast("7", "north", "Hello", "Chess", 5, START), **more)


def tell(known: dict[str, Known], *seen: Broadcast) -> tuple[list[str], dict[str, Known]]:
    events, now_known = compare(known, seen, prefix="tw-", now_ms=NOW_MS)
    assert {event["stream_id"] for event in events} <= {"tw-north"}
    return [str(event["id"]) for event in events], now_known


def test_a_stream_that_begins_is_told_with_its_start_and_its_viewers():
    events, known = compare({}, [see()], prefix="tw-", now_ms=NOW_MS + 5)
    start, count = events
    assert start == {
        "stream_id": "tw-north",
        "type": "meta",
        "timestamp": "2026-01-26T10:00:00+00:00",
        "id": "7:start",
        "event": "stream_start",
        "title": "Hello",
        "category": "Chess",
    }
    assert (count["type"], count["value"], count["timestamp"]) == ("viewers", 5, NOW_MS + 5)
    assert known == KNOWN


def test_a_stream_that_goes_on_only_counts():
    assert tell(KNOWN, see()) == ([f"7:viewers:{NOW_MS}"], KNOWN)


def test_changes_of_title_and_category_are_told():
    events, known = compare(KNOWN, [see(title="Bye", category="Go")], prefix="", now_ms=NOW_MS)
    told = [(event.get("event"), event.get("title"), event.get("category")) for event in events]
    assert told[:2] == [("title_change", "Bye", None), ("category_change", None, "Go")]
    assert known == {"north": Known("7", "Bye", "Go")}


def test_a_stream_ends_when_it_is_missed_twice_and_did_so_the_first_time():
    events, missed = tell(KNOWN)
    assert events == []
    assert missed["north"].missed_at_ms == NOW_MS
    events, known = tell({"north": Known("7", "Hello", "Chess", NOW_MS - 60_000)})
    assert (events, known) == (["7:end"], {})
    ended, _ = compare(missed, [], prefix="", now_ms=NOW_MS + 60_000)
    assert ended[0]["timestamp"] == NOW_MS


def test_a_stream_that_was_missed_once_has_not_ended():
    assert tell({"north": Known("7", "Hello", "Chess", NOW_MS)}, see())[1] == KNOWN


def test_a_new_stream_ends_the_one_before():
    events, _ = tell(KNOWN, see(id="8"))
    assert events == ["7:end", "8:start", f"8:viewers:{NOW_MS}"]


async def ask_once(server: HelixServer, clock: ManualClock, folder: Path) -> list[str]:
    """Return the ids of what a process tells that asks once and ends."""
    with ScriptedApi() as api, open_offsets(folder, "twitch") as offsets:
        async with sending(api.url) as gate:
            source = BroadcastSource(["north"], "", make_access(server), offsets, clock)
            task = asyncio.create_task(source.read(gate.outlet, gate.health))
            await eventually(lambda: gate.health.accepted)
            await eventually(offsets.read)
            await end(task)
        return [orjson.loads(line)["id"] for body in api.bodies for line in body.splitlines()]


async def test_a_restart_tells_no_start_again(
    helix_server: HelixServer, clock: ManualClock, tmp_path: Path
):
    helix_server.go_live(make_stream("north", id="7"))
    count = f"7:viewers:{NOW_MS}"
    assert await ask_once(helix_server, clock, tmp_path) == ["7:start", count]
    assert await ask_once(helix_server, clock, tmp_path) == [count]


async def test_knowledge_that_makes_no_sense_is_named(
    helix_server: HelixServer, clock: ManualClock, tmp_path: Path
):
    with ScriptedApi() as api, open_offsets(tmp_path, "twitch") as offsets:
        offsets.write({"north": {"surprise": 1}})
        async with sending(api.url) as gate:
            source = BroadcastSource(["north"], "", make_access(helix_server), offsets, clock)
            with pytest.raises(OffsetsUnreadableError, match="twitch"):
                await source.read(gate.outlet, gate.health)
