"""Notes of moments: one a session, kept to what the flow says, and told on the sockets."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from redis.asyncio import Redis

from core.clock import SystemClock
from core.notes import SYSTEM, WITHDRAWN
from core.session_events import channel_of_session, unpack_event
from core.settings import Settings
from core.tasks import end
from db.moment_notes import MomentNoteStore, Written
from db.notes import NoteFilter, NoteStore
from db.pool import Pool
from db.sessions import SessionStore, SessionWish
from streaming.bus.session_news import SessionNews
from streaming.jobs.moment_notes import keep_moment_notes
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.waiting import eventually

SID = "sess_0123456789abcdef"
CLOCK = SystemClock()


@pytest.fixture
async def session(connection: asyncpg.Connection) -> dict[str, Any]:
    """A session that looks at a bench, and began a minute ago."""
    wish = SessionWish(name="x", stream_ids=["bench"])
    began = CLOCK.now() - timedelta(minutes=1)
    return await SessionStore(connection).insert(SID, wish, actor=ACTOR, now=began)


async def find_moment(
    connection: asyncpg.Connection, moment_id: str = "mom_1", **more: Any
) -> None:
    """Write a moment as the flow does, and tell of it."""
    row = {
        "timestamp": CLOCK.now(),
        "stream_id": "bench",
        "description": "load unusual",
        "reasons": [{"kind": "metric", "text": "temp rose"}],
        "metadata": {},
        "revision": 1,
    } | more
    await connection.execute(
        "INSERT INTO moments (moment_id, timestamp, stream_id, started_at, peak_at, moment_type,"
        " metric_name, metric_value, expected, threshold, z_score, score, direction, state,"
        " description, reasons, metadata, revision)"
        " VALUES ($1, $2, $3, $2, $2, 'reading_anomaly', 'load', 1, 1, 1, 1, 2, 'up', 'open', $4,"
        " $5, $6, $7)",
        moment_id,
        *row.values(),
    )
    await connection.execute("SELECT pg_notify('moment_changes', '')")


async def write(connection: asyncpg.Connection) -> Written:
    now = CLOCK.now()
    hour = timedelta(hours=1)
    store = MomentNoteStore(connection)
    return await store.write(since=now - hour, ended_since=now - hour / 6, now=now)


async def list_notes(connection: asyncpg.Connection) -> list[dict[str, Any]]:
    return await NoteStore(connection, SID).list_notes(NoteFilter())


async def test_a_moment_has_one_note_however_often_it_is_found(
    connection: asyncpg.Connection, session: dict[str, Any]
):
    await find_moment(connection)
    await find_moment(connection, "mom_own", stream_id=session["id"])
    await find_moment(connection, "mom_else", stream_id="elsewhere")
    await find_moment(connection, "mom_before", timestamp=CLOCK.now() - timedelta(minutes=5))
    await find_moment(connection, "mom_false", metadata={"withdrawn": True})
    assert {row["moment_id"] for row in (await write(connection)).created} == {"mom_1", "mom_own"}
    assert (await write(connection)).created == []
    notes = {note["moment_id"]: note for note in await list_notes(connection)}
    assert set(notes) == {"mom_1", "mom_own"}
    note = notes["mom_1"]
    assert (note["type"], note["author"]) == ("system", SYSTEM)
    assert note["content"] == "load unusual (bench, score 2.00)\n- temp rose"
    assert note["tags"] == ["moment", "reading_anomaly"]
    assert (await SessionStore(connection).get(SID))["note_count"] == 2
    (first, _) = await NoteStore(connection, SID).list_moments(CLOCK.now())
    assert first["reasons"] == [{"kind": "metric", "text": "temp rose"}]


async def test_a_note_says_what_the_flow_says_now_and_keeps_what_people_wrote(
    connection: asyncpg.Connection, session: dict[str, Any]
):
    del session
    await find_moment(connection, "mom_1")
    await find_moment(connection, "mom_2")
    await write(connection)
    store = NoteStore(connection, SID)
    edited = next(n for n in await list_notes(connection) if n["moment_id"] == "mom_2")
    await store.change(edited["id"], {"content": "It was us."}, version=None, actor=ACTOR)
    await connection.execute("UPDATE moments SET description = 'load very odd', revision = 2")
    (updated,) = (await write(connection)).updated
    assert updated["content"].startswith("load very odd (bench")
    withdrawn = "UPDATE moments SET metadata = '{\"withdrawn\": true}', revision = 3"
    await connection.execute(withdrawn)
    assert len((await write(connection)).updated) == 2
    assert (await write(connection)).updated == []
    contents = {note["moment_id"]: note["content"] for note in await list_notes(connection)}
    assert contents["mom_1"].startswith(WITHDRAWN)
    assert contents["mom_2"] == f"It was us.\n\n{WITHDRAWN}"
    versions = await store.list_versions(edited["id"])
    assert versions[0]["content"] == "It was us."


async def test_a_note_that_somebody_deleted_does_not_come_back(
    connection: asyncpg.Connection, session: dict[str, Any]
):
    del session
    await find_moment(connection)
    (note,) = (await write(connection)).created
    store = NoteStore(connection, SID)
    await store.delete(note["id"], version=None, actor=ACTOR, now=CLOCK.now())
    await connection.execute("UPDATE moments SET revision = 2")
    done = await write(connection)
    assert (done.created, done.updated, await list_notes(connection)) == ([], [], [])


async def test_a_session_that_is_over_gets_notes_of_what_began_during_it(
    connection: asyncpg.Connection, session: dict[str, Any]
):
    del session
    await find_moment(connection, "mom_during")
    ended = SessionWish(status="ended")
    await SessionStore(connection).change(SID, ended, actor=ACTOR, now=CLOCK.now())
    await find_moment(connection, "mom_after")
    assert [row["moment_id"] for row in (await write(connection)).created] == ["mom_during"]


@pytest.fixture
async def pool(settings: Settings) -> AsyncIterator[Pool]:
    pool = Pool(settings, process="jobs")
    yield pool
    await pool.close()


async def test_the_loop_writes_and_tells_at_once_when_woken_and_stops_when_told(
    connection: asyncpg.Connection,
    session: dict[str, Any],
    pool: Pool,
    redis_client: Redis,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
):
    del session
    # By itself it would look again when the test is long over.
    monkeypatch.setattr("streaming.jobs.moment_notes.LOOK_EVERY_S", 3600.0)
    url, stop = settings.require_database_url(), asyncio.Event()
    async with redis_client.pubsub() as heard:
        await heard.subscribe(channel_of_session(SID))
        work = keep_moment_notes(url, pool, SessionNews(redis_client), CLOCK, stop)
        task = asyncio.create_task(work)
        try:

            async def hear() -> Any:
                message = await heard.get_message(ignore_subscribe_messages=True, timeout=0.1)
                return unpack_event(message["data"]) if message else None

            # The first may be found as it begins to listen; the second it has to be told of.
            for moment_id in ("mom_1", "mom_2"):
                await find_moment(connection, moment_id)
                event = await eventually(hear)
                assert (event.event, event.data["moment_id"]) == ("note.created", moment_id)
            stop.set()
            await asyncio.wait_for(task, 10)
        finally:
            await end(task)
