"""Options of the MQTT connector: what they make, and what they refuse before anything begins."""

import pytest

from core.errors import SettingsInvalidError
from streaming.connectors.mqtt.options import build_options, build_parser
from streaming.connectors.mqtt.sources import MqttOptions
from tests.fixtures.settings import make_settings


def read(*arguments: str, **settings: str) -> MqttOptions:
    return build_options(build_parser().parse_args(arguments), make_settings(**settings))


@pytest.mark.parametrize(
    ("template", "kind"),
    [("s/{stream}/{channel}", "values"), ("s/{stream}", "fields"), ("s/#", "events")],
)
def test_a_template_says_what_its_payloads_are(template: str, kind: str):
    assert list(read("--topic", template).templates.values()) == [kind]


def test_options_make_a_session():
    options = read(
        *("--broker", "mqtts://broker", "--topic", "$share/g/{stream}", "--topic", "x/{stream}"),
        *("--protocol", "3.1.1", "--username", "ada", "--retained", "keep", "--qos", "0"),
        mqtt_password="secret",
    )
    session = options.session
    assert (session.host, session.port, session.is_tls) == ("broker", 8883, True)
    assert (session.username, session.password) == ("ada", "secret")
    assert session.filters == ["$share/g/+", "x/+"]
    assert (session.is_version_5, session.quality, options.retained) == (False, 0, "keep")
    assert "secret" not in repr(options)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--topic", "a/{device}"), "neither {stream} nor {channel}"),
        (("--topic", "a/{channel}"), "names no {stream}"),
        (("--topic", "a/b", "--payload", "fields"), "names no {stream}"),
        (("--topic", "{stream}", "--ca", "x.pem"), "mqtts://"),
        (("--topic", "{stream}", "--client-id", ""), "--client-id"),
    ],
)
def test_what_cannot_work_is_refused(arguments: tuple[str, ...], reason: str):
    with pytest.raises(SettingsInvalidError) as refused:
        read(*arguments)
    assert reason in refused.value.detail


@pytest.mark.parametrize(
    "url",
    [
        "broker:1883",
        "http://broker",
        "mqtt://",
        "mqtt://a/b",
        "mqtt://a:x",
        "mqtt://u:p@a",
        "mqtt://" + "a" * 300,
    ],
)
def test_an_address_that_is_none_is_refused(url: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit):
        build_parser().parse_args(["--broker", url, "--topic", "{stream}"])
    assert "--broker" in capsys.readouterr().err
