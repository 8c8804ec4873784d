"""Connections: the bus that the settings choose: Kafka when its brokers are named, else Redis."""

from core.settings import Settings
from streaming.bus.base import BusReader, BusWriter, Consumer
from streaming.bus.kafka.readers import KafkaBusReader
from streaming.bus.kafka.writers import KafkaBusWriter
from streaming.bus.redis import RedisBusReader, RedisBusWriter


def open_writer(settings: Settings) -> BusWriter:
    """Return the writing end of the bus; nothing is connected yet."""
    redis_url = settings.require_redis_url()
    if settings.kafka_bootstrap_servers is None:
        return RedisBusWriter(redis_url, max_entries=settings.bus_max_entries)
    return KafkaBusWriter(
        settings.kafka_bootstrap_servers,
        redis_url,
        shards=settings.bus_shards,
        max_entries=settings.bus_max_entries,
    )


def open_reader(settings: Settings, consumer: Consumer) -> BusReader:
    """Return the reading end of the bus for a consumer; nothing is connected yet."""
    if settings.kafka_bootstrap_servers is None:
        return RedisBusReader(settings.require_redis_url(), consumer)
    return KafkaBusReader(settings.kafka_bootstrap_servers, consumer, shards=settings.bus_shards)
