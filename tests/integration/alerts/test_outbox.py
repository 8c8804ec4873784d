"""The outbox: what is written of a moment is noted with it, or not at all."""

import asyncio

import asyncpg

from core.moment_lives import Action, Wish
from db.commits import CommitStore
from db.moment_changes import CHANNEL
from db.moment_lives import MomentLifeStore
from tests.fixtures.api_keys import ACTOR
from tests.fixtures.changes import make_changes
from tests.fixtures.clocks import START
from tests.integration.moments.conftest import MOMENT_ID, make_moment

LIST = "SELECT moment_id, timestamp FROM moment_changes ORDER BY id"


async def commit(connection: asyncpg.Connection, revision: int = 1) -> None:
    changes = make_changes(0, revision, events=1, moments=(make_moment(revision=revision),))
    await CommitStore(connection).commit([changes])


async def test_a_commit_notes_the_moments_that_it_writes_and_tells_of_them(
    connection: asyncpg.Connection, database_url: str
):
    heard: asyncio.Queue[str] = asyncio.Queue()
    other = await asyncpg.connect(database_url)
    await other.add_listener(CHANNEL, lambda *told: heard.put_nowait(told[2]))
    await commit(connection, 2)
    assert [tuple(row) for row in await connection.fetch(LIST)] == [(MOMENT_ID, START)]
    assert await asyncio.wait_for(heard.get(), 10) == CHANNEL
    # One that is older than what is stored is not written, and nobody is to look at it.
    await commit(connection, 1)
    assert len(await connection.fetch(LIST)) == 1
    await other.close()


async def test_a_commit_that_fails_notes_nothing(connection: asyncpg.Connection):
    transaction = connection.transaction()
    await transaction.start()
    await commit(connection)
    assert len(await connection.fetch(LIST)) == 1
    await transaction.rollback()
    assert await connection.fetch(LIST) == []


async def test_what_people_do_with_a_moment_is_noted(connection: asyncpg.Connection):
    await commit(connection)
    await connection.execute("DELETE FROM moment_changes")
    wish = Wish(action=Action.ACKNOWLEDGE)
    for _ in range(2):
        await MomentLifeStore(connection).change(
            MOMENT_ID, wish, version=None, actor=ACTOR, now=START
        )
    # Said twice, it changed once.
    assert [tuple(row) for row in await connection.fetch(LIST)] == [(MOMENT_ID, START)]
