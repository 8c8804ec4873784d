"""Options of the bridge to MQTT: what its command line says."""

from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from core.settings import Settings
from streaming.devices.mqtt.descriptions import Description
from streaming.devices.mqtt.links import LinkOptions
from streaming.ingest.options import read_url
from streaming.mqtt.brokers import add_broker, add_identity

EXAMPLE: Final = "telemetra device mqtt --broker mqtt://broker:1883 --config press.yaml"


def build_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="telemetra device mqtt",
        description="Let a device that speaks MQTT be a device of Telemetra.",
        epilog=f"example: {EXAMPLE}",
    )
    add = parser.add_argument
    add_broker(parser)
    add("--config", type=Path, required=True, metavar="FILE", help="the device, as docs/rigs.md")
    add("--client-id", help="name of the session at the broker (telemetra-device-ID)")
    add_identity(parser)
    add("--memory", type=Path, metavar="FILE", help="what was done, for a bridge that restarts")
    add("--url", type=read_url, default="http://127.0.0.1:8000", help="the API (%(default)s)")
    add("--api-key", metavar="KEY", help="key for an API that asks for one (API_KEY)")
    return parser


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process and says what is right."""
    return build_parser().parse_args(arguments)


def build_link(options: Namespace, description: Description, settings: Settings) -> LinkOptions:
    """Return which broker is meant, and as whom."""
    host, port, is_tls = options.broker
    return LinkOptions(
        host=host,
        port=port,
        client_id=options.client_id or f"telemetra-device-{description.device}",
        is_tls=is_tls,
        authority=options.ca,
        username=options.username or settings.mqtt_username,
        password=settings.mqtt_password,
    )
