"""The door with Kafka behind it: what it acknowledges is there, what is not there it refuses."""

import httpx
import pytest

from core.batches import Batch, decode_batch
from core.ids import shard_of
from core.settings import Settings
from streaming.bus.connections import open_reader
from tests.fixtures.kafkas import SHARDS, Kafka
from tests.integration.api.paths import INGEST
from tests.integration.api.problems import read_problem

BODY = {"stream_id": "door", "type": "chat", "user": "ada", "text": "hi"}


@pytest.fixture
def settings(settings: Settings, kafka: Kafka) -> Settings:
    chosen = {"kafka_bootstrap_servers": kafka.servers, "bus_shards": SHARDS}
    return settings.model_copy(update=chosen)


async def test_what_is_acknowledged_is_on_the_topic_once(
    client: httpx.AsyncClient, settings: Settings
):
    for _ in range(2):
        answer = await client.post(INGEST, json=BODY, headers={"Idempotency-Key": "one"})
        assert (answer.status_code, answer.json()["accepted"]) == (202, 1), answer.text
    reader = open_reader(settings, "flow")
    shard = shard_of("door", SHARDS)
    batch = Batch(shard, tuple(reader.read(shard, after=0, limit=10)))
    assert decode_batch(batch).events["stream_id"].to_list() == ["door"]
    reader.close()


async def test_brokers_that_are_away_are_a_503_that_says_when_to_try_again(
    client: httpx.AsyncClient, kafka: Kafka
):
    kafka.kill()
    answer = await client.post(INGEST, json=BODY)
    read_problem(answer, 503, "bus_away")
    assert answer.headers["Retry-After"] == "1"
