"""The archive as it really runs: killed at any moment, every event is in it exactly once."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import httpx
import orjson
import pytest
import redis.asyncio

from api.app import build_app
from core.settings import Settings
from streaming.bus.redis import RedisBusReader, name_shard
from tests.fixtures.apis import calling
from tests.fixtures.archives import ArchiveRunner, list_parquet, list_rows
from tests.fixtures.events import chat, reading
from tests.fixtures.waiting import eventually
from tests.integration.archive.grounds import SHARDS, Ground

STREAMS = [f"stream-{number}" for number in range(9)]


def make_round(beginning: datetime, number: int) -> list[dict[str, object]]:
    """Return events of all streams, over two hours."""
    at = beginning + timedelta(minutes=7 * (number % 9), milliseconds=number)
    return [
        event
        for stream_id in STREAMS
        for event in (
            chat(at, f"user{number}", stream_id=stream_id),
            reading(at, number / 8, stream_id=stream_id),
        )
    ]


def has_more_files(folder: Path, known: int) -> bool:
    return len(list_parquet(folder)) > known


async def count_waiting(client: redis.asyncio.Redis) -> int:
    return sum([await client.xlen(name_shard(shard)) for shard in range(SHARDS)])


async def test_killed_again_and_again_every_event_is_in_it_exactly_once(
    archive_process: ArchiveRunner,
    ground: Ground,
    redis_client: redis.asyncio.Redis,
    beginning: datetime,
):
    folder = ground.settings.archive_dir
    sent = 0
    for life in range(5):
        archive_process.start()
        known = len(list_parquet(folder))
        for number in range(life * 30, life * 30 + 30):
            events = make_round(beginning, number)
            await ground.send(events)
            sent += len(events)
            await asyncio.sleep(0)
        # Killed as soon as a round has begun to write: some of its files are there, some not.
        await eventually(partial(has_more_files, folder, known), within_s=60)
        archive_process.kill()
    archive_process.start()
    released = RedisBusReader(ground.settings.require_redis_url(), "flow")
    for shard in range(SHARDS):
        released.release(shard, through=1 << 62)
    released.close()

    async def is_done() -> bool:
        return await count_waiting(redis_client) == 0

    # What the archive has let go of, and nothing else, is gone from the bus.
    await eventually(is_done, within_s=60)
    rows = list_rows(folder)
    assert len(rows) == len(set(rows)) == sent


async def test_a_stop_archives_what_has_come(
    archive_process: ArchiveRunner, ground: Ground, beginning: datetime
):
    archive_process.start()
    await eventually(lambda: "archive_started" in archive_process.read_log())
    events = make_round(beginning, 1)
    await ground.send(events)
    assert archive_process.stop() == 0
    assert len(list_rows(ground.settings.archive_dir)) == len(events)


async def test_it_says_that_it_is_alive_and_what_troubles_it(
    archive_process: ArchiveRunner,
    settings: Settings,
    ground: Ground,
    redis_client: redis.asyncio.Redis,
    beginning: datetime,
):
    async with calling(build_app(settings)) as client:

        async def ask() -> dict[str, str]:
            answer: httpx.Response = await client.get("/api/v1/health")
            assert answer.status_code == 200
            health: dict[str, str] = answer.json()["archive"]
            return health

        assert (await ask())["status"] == "error"
        archive_process.start()
        await eventually(ask, holds=lambda health: health["status"] == "ok")
        # A file where the hour's folder has to be: nothing can be written there, even by root.
        hour = settings.archive_dir / beginning.strftime("%Y-%m-%dT%H")
        hour.write_text("in the way")
        await ground.send([chat(beginning)])
        troubled = await eventually(ask, holds=lambda health: health["status"] == "degraded")
        assert "Cannot write" in troubled["detail"]
        assert "kept on the bus" in troubled["detail"]
        hour.unlink()
        await eventually(ask, holds=lambda health: health["status"] == "ok")
        await eventually(lambda: len(list_rows(settings.archive_dir)) == 1)
        archive_process.stop()
        assert (await ask())["status"] == "error"
    assert await redis_client.get("heartbeat:archive") is None


async def test_it_waits_for_a_bus_that_does_not_answer_and_goes_on(
    archive_process: ArchiveRunner,
    ground: Ground,
    redis_client: redis.asyncio.Redis,
    beginning: datetime,
):
    archive_process.start()
    await eventually(lambda: redis_client.exists("heartbeat:archive"))
    await redis_client.client_pause(7000)
    await eventually(lambda: "round_failed" in archive_process.read_log(), within_s=60)
    await ground.send([chat(beginning)])
    await eventually(lambda: len(list_rows(ground.settings.archive_dir)) == 1, within_s=60)


async def test_a_second_archive_is_kept_out(
    archive_process: ArchiveRunner, ground: Ground, redis_client: redis.asyncio.Redis
):
    archive_process.start()
    await eventually(lambda: redis_client.exists("heartbeat:archive"))
    second = await asyncio.to_thread(archive_process.run, "__main__")
    assert second.returncode == 1
    assert "Another archive writes to" in second.stderr
    assert ground.settings.archive_dir.is_dir()


@pytest.mark.parametrize("facts", [{"lag_ms": 300_001}, {"trouble": "Cannot write: full."}])
async def test_an_archive_in_trouble_degrades_health_and_never_more(
    settings: Settings, redis_client: redis.asyncio.Redis, facts: dict[str, object]
):
    beat = {"at_ms": 0, "lag_ms": 0, "events_per_second": 1.5, "trouble": None} | facts
    await redis_client.set("heartbeat:archive", orjson.dumps(beat))
    async with calling(build_app(settings)) as client:
        answer = await client.get("/api/v1/health")
    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"
    assert answer.json()["archive"]["status"] == "degraded"
