"""Options of the MQTT connector: from the command line and the settings."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Final

from core.errors import SettingsInvalidError
from core.settings import Settings
from streaming.connectors.mqtt.payloads import Kind
from streaming.connectors.mqtt.sessions import SessionOptions
from streaming.connectors.mqtt.sources import MqttOptions
from streaming.connectors.mqtt.templates import Template, read_template
from streaming.connectors.processes import begin_options
from streaming.mqtt.brokers import Certificates, add_broker, add_identity

EXAMPLE: Final = (
    "telemetra connect mqtt --broker mqtt://broker:1883 --topic 'sensors/{stream}/{channel}'"
)

CLIENT_ID: Final = "telemetra-connect"


def build_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = begin_options("mqtt", "Read topics of an MQTT broker.", EXAMPLE)
    add = parser.add_argument
    add_broker(parser)
    add(
        "--topic",
        dest="topics",
        action="append",
        required=True,
        metavar="TEMPLATE",
        help="topics to read, as sensors/{stream}/{channel}; + and #, and $share/GROUP/ before it,"
        " may stand in it; may be repeated",
    )
    add(
        "--payload",
        choices=("auto", "values", "fields", "events"),
        default="auto",
        help="a number each, numbers by name, or whole events; auto: by whether the template names"
        " a channel, only a stream, or nothing",
    )
    add("--client-id", default=CLIENT_ID, help="name of the session at the broker (%(default)s)")
    add("--protocol", choices=("5", "3.1.1"), default="5", help="version of MQTT (%(default)s)")
    add("--qos", type=int, choices=(0, 1), default=1, help="quality asked for (%(default)s)")
    add(
        "--retained",
        choices=("ignore", "keep"),
        default="ignore",
        help="what to do with a last value that the broker kept, which may be old (%(default)s)",
    )
    add_identity(parser)
    add("--cert", type=Path, metavar="FILE", help="certificate to show to the broker")
    add("--key", type=Path, metavar="FILE", help="its key, where that is another file")
    return parser


def build_options(options: Namespace, settings: Settings) -> MqttOptions:
    """Return what is read.

    Raises:
        SettingsInvalidError: A template cannot work, or the options contradict one another.
    """
    templates = [read_template(text) for text in options.topics]
    host, port, is_tls = options.broker
    files = Certificates(options.ca, options.cert, options.key)
    if files != Certificates() and not is_tls:
        raise SettingsInvalidError("Certificates are for mqtts:// addresses; this is mqtt://.")
    if not options.client_id or not options.client_id.isprintable():
        raise SettingsInvalidError("--client-id is empty: the broker could keep no session.")
    session = SessionOptions(
        host=host,
        port=port,
        client_id=options.client_id,
        filters=[template.filter for template in templates],
        is_tls=is_tls,
        certificates=files,
        username=options.username or settings.mqtt_username,
        password=settings.mqtt_password,
        is_version_5=options.protocol == "5",
        quality=options.qos,
    )
    kinds = {template: choose_kind(template, options.payload) for template in templates}
    for template, kind in kinds.items():
        _require_stream(template, kind)
    return MqttOptions(session, kinds, options.retained)


def choose_kind(template: Template, wish: str) -> Kind:
    """Return how the payloads of a template are read."""
    match wish:
        case "values" | "fields" | "events":
            return wish
    if "channel" in template.names:
        return "values"
    return "fields" if "stream" in template.names else "events"


def _require_stream(template: Template, kind: Kind) -> None:
    """Refuse a template whose numbers would belong to nothing."""
    if kind != "events" and "stream" not in template.names:
        raise SettingsInvalidError(
            f"The topic template {template.filter!r} names no {{stream}}, and numbers alone do not"
            " either. Write {stream} where it stands, or say --payload events."
        )
