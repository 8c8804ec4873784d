"""Options of the bridge to MQTT: what its command line says."""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from core.settings import Settings
from streaming.devices.mqtt.descriptions import Description
from streaming.devices.mqtt.links import LinkOptions
from streaming.ingest.options import read_url

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}

EXAMPLE: Final = "telemetra device mqtt --broker mqtt://broker:1883 --config press.yaml"


def build_parser() -> ArgumentParser:
    """Return the parser of the command line."""
    parser = ArgumentParser(
        prog="telemetra device mqtt",
        description="Let a device that speaks MQTT be a device of Telemetra.",
        epilog=f"example: {EXAMPLE}",
    )
    add = parser.add_argument
    add(
        "--broker",
        type=read_broker,
        default=read_broker("mqtt://127.0.0.1"),
        metavar="URL",
        help="mqtt://host:1883, or mqtts://host:8883 with TLS (mqtt://127.0.0.1)",
    )
    add("--config", type=Path, required=True, metavar="FILE", help="the device, as docs/rigs.md")
    add("--client-id", help="name of the session at the broker (telemetra-device-ID)")
    add("--username", help="user (MQTT_USERNAME); the password is MQTT_PASSWORD")
    add("--ca", type=Path, metavar="FILE", help="authority that the broker's certificate is of")
    add("--memory", type=Path, metavar="FILE", help="what was done, for a bridge that restarts")
    add("--url", type=read_url, default="http://127.0.0.1:8000", help="the API (%(default)s)")
    add("--api-key", metavar="KEY", help="key for an API that asks for one (API_KEY)")
    return parser


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process and says what is right."""
    return build_parser().parse_args(arguments)


def read_broker(text: str) -> tuple[str, int, bool]:
    """Read the address of a broker: host, port, and whether by TLS."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if "@" in text:
        raise argparse.ArgumentTypeError("the user goes to --username, not into the address")
    if not host or parts.scheme not in PORTS or parts.path.strip("/") or len(host) > 255:
        raise argparse.ArgumentTypeError("not an address like mqtt://127.0.0.1:1883")
    return host, port or PORTS[parts.scheme], parts.scheme == "mqtts"


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
