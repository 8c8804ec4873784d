"""The Kafka connector as a process: ``telemetra connect kafka --help``."""

from core.loading import loading

with loading():
    from argparse import Namespace
    from collections.abc import Iterator
    from contextlib import contextmanager

    from core.clock import Clock
    from core.settings import Settings
    from streaming.connectors.kafka.letters import Letters
    from streaming.connectors.kafka.options import build_parser, build_subscription
    from streaming.connectors.kafka.sources import KafkaSource
    from streaming.connectors.processes import run_process
    from streaming.connectors.rows import build_time_policy


@contextmanager
def build(options: Namespace, settings: Settings, clock: Clock) -> Iterator[KafkaSource]:
    """Lend the source that the options name."""
    subscription = build_subscription(options, settings)
    topic = options.dead_letter_topic
    letters = Letters(subscription.config, topic) if topic else None
    source = KafkaSource(subscription, letters, clock, build_time_policy(settings))
    try:
        yield source
    finally:
        source.close()


if __name__ == "__main__":
    run_process("kafka", build_parser().parse_args(), build)
