"""Options of the Kafka connector: from the command line, the settings and a file."""

import argparse
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final, TypeAlias

from confluent_kafka import Consumer, KafkaException

from core.errors import SettingsInvalidError
from core.settings import Settings
from streaming.connectors.kafka.feeds import BOUND, DEFAULTS
from streaming.connectors.kafka.messages import SHAPES
from streaming.connectors.kafka.sources import Subscription
from streaming.connectors.processes import begin_options

Config: TypeAlias = dict[str, str | int | float | bool]

PREFIX: Final = "telemetra.events."
TOPICS: Final = ",".join(PREFIX + shape for shape in SHAPES)
GROUP: Final = "telemetra-connect"

EXAMPLE: Final = (
    "telemetra connect kafka --brokers broker:9092"
    " --topics chat=site-chat,telemetra.events.viewer --dead-letter-topic telemetra.dead"
)


def build_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = begin_options(
        "kafka", "Read topics of single events as JSON, with the channel as key.", EXAMPLE
    )
    add = parser.add_argument
    add("--brokers", metavar="HOST:PORT,…", help="brokers to read from (KAFKA_SOURCE_SERVERS)")
    add(
        "--topics",
        type=read_topics,
        default=read_topics(TOPICS),
        metavar="TOPIC,…",
        help="topics whose last word is chat, viewer, transactions or stream_meta, or chat=TOPIC;"
        f" all four of {PREFIX}… when not named",
    )
    add(
        "--group", default=GROUP, help="consumer group, which remembers how far it is (%(default)s)"
    )
    add(
        "--from",
        dest="start",
        choices=("earliest", "latest"),
        default="earliest",
        help="where a group begins that has never been (%(default)s)",
    )
    add("--config", type=Path, metavar="FILE", help="name=value lines for the client, as for TLS")
    add(
        "--set",
        dest="chosen",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one of them, as security.protocol=SASL_SSL; stands above the file",
    )
    add(
        "--dead-letter-topic", metavar="TOPIC", help="messages that are no events are sent on there"
    )
    return parser


def read_topics(text: str) -> dict[str, str]:
    """Read topics and which shape each has."""
    topics = dict(_read_topic(part.strip()) for part in text.split(",") if part.strip())
    if not topics:
        raise argparse.ArgumentTypeError("names no topic")
    return topics


def build_subscription(options: Namespace, settings: Settings) -> Subscription:
    """Return what is read.

    Raises:
        SettingsInvalidError: No brokers are named, or the client knows no such option.
    """
    servers = options.brokers or settings.kafka_source_servers
    if not servers:
        raise SettingsInvalidError(
            "Name the brokers to read from: --brokers host:9092, or KAFKA_SOURCE_SERVERS."
        )
    path = options.config or settings.kafka_source_config
    config: Config = {
        **(_read_file(path) if path else {}),
        **dict(_read_pair(pair, "--set") for pair in options.chosen),
        "bootstrap.servers": servers,
        "group.id": options.group,
        "auto.offset.reset": options.start,
    }
    _require_known(config)
    return Subscription(options.topics, config)


def _read_topic(text: str) -> tuple[str, str]:
    shape, has_shape, topic = text.partition("=")
    if not has_shape:
        topic, shape = text, text.rpartition(".")[2]
    if shape not in SHAPES or not topic:
        raise argparse.ArgumentTypeError(
            f"{text!r} does not say what its messages are: write one of"
            f" {', '.join(SHAPES)} and = before it"
        )
    return topic, shape


def _read_file(path: Path) -> Config:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsInvalidError(f"{path} cannot be read: {error}.") from None
    kept = (line.strip() for line in lines)
    return dict(_read_pair(line, str(path)) for line in kept if line and not line.startswith("#"))


def _read_pair(text: str, where: str) -> tuple[str, str]:
    name, has_value, value = text.partition("=")
    name = name.strip()
    if not has_value or not name:
        # The text is not repeated: it may be half a password.
        raise SettingsInvalidError(f"{where}: write name=value, as security.protocol=SASL_SSL.")
    if name in BOUND:
        raise SettingsInvalidError(
            f"{where}: {name} is not to be chosen; exact counts depend on {BOUND[name]}."
        )
    return name, value.strip()


def _require_known(config: Config) -> None:
    """Refuse what the client does not know, before anything is connected."""
    try:
        Consumer({**DEFAULTS, **config}).close()
    except KafkaException as error:
        raise SettingsInvalidError(f"The Kafka client refuses: {error.args[0].str()}.") from None
