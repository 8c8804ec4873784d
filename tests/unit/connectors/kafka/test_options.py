"""Options of the Kafka connector: what they make, and what they refuse before anything begins."""

from pathlib import Path

import pytest

from core.errors import SettingsInvalidError
from streaming.connectors.kafka.options import build_parser, build_subscription
from streaming.connectors.kafka.sources import Subscription
from tests.fixtures.settings import make_settings


def read(*arguments: str, **settings: object) -> Subscription:
    return build_subscription(build_parser().parse_args(arguments), make_settings(**settings))


def test_the_four_topics_are_read_when_none_is_named():
    subscription = read(kafka_source_servers="a:1,b:2")
    assert subscription.topics == {
        f"telemetra.events.{shape}": shape
        for shape in ("chat", "viewer", "transactions", "stream_meta")
    }
    assert subscription.config["bootstrap.servers"] == "a:1,b:2"
    assert subscription.config["group.id"] == "telemetra-connect"
    assert subscription.config["auto.offset.reset"] == "earliest"


def test_topics_say_what_their_messages_are_by_their_name_or_before_it():
    subscription = read("--brokers", "a:1", "--topics", "x.viewer, chat=legacy")
    assert subscription.topics == {"x.viewer": "viewer", "legacy": "chat"}


def test_options_of_the_client_come_from_a_file_and_the_command_line(tmp_path: Path):
    path = tmp_path / "client.properties"
    path.write_text(
        "# ours\n\nsecurity.protocol = SASL_SSL\nsasl.username=ada\n"
        "sasl.password=a=b\nsasl.mechanism=PLAIN\n"
    )
    subscription = read(
        *("--brokers", "a:1", "--set", "sasl.mechanism=SCRAM-SHA-256", "--group", "g"),
        *("--from", "latest"),
        kafka_source_config=path,
    )
    config = subscription.config
    assert config["security.protocol"] == "SASL_SSL"
    assert config["sasl.password"] == "a=b"
    assert config["sasl.mechanism"] == "SCRAM-SHA-256"
    assert (config["group.id"], config["auto.offset.reset"]) == ("g", "latest")


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ((), "KAFKA_SOURCE_SERVERS"),
        (("--brokers", "a:1", "--set", "nonsense=1"), "nonsense"),
        (("--brokers", "a:1", "--set", "session.timeout.ms=x"), "session.timeout.ms"),
        (("--brokers", "a:1", "--set", "secret"), "name=value"),
        (("--brokers", "a:1", "--set", "enable.auto.commit=true"), "not to be chosen"),
        (("--brokers", "a:1", "--config", "no such file"), "no such file"),
    ],
)
def test_what_cannot_work_is_refused(arguments: tuple[str, ...], reason: str):
    with pytest.raises(SettingsInvalidError) as refused:
        read(*arguments)
    assert reason in refused.value.detail


@pytest.mark.parametrize("topics", ["", "legacy", "tips=x", "chat="])
def test_topics_of_which_nobody_knows_what_they_hold_are_refused(topics: str):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--topics", topics])
