"""Brokers: which MQTT broker is meant, and how it is known to be that one.

mqtt://host:1883      mqtts://host:8883, judged by certificates
"""

import argparse
import ssl
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from core.errors import SettingsInvalidError

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}


class Broker(NamedTuple):
    """Where a broker is, and whether by TLS."""

    host: str
    port: int
    is_tls: bool


@dataclass(frozen=True, slots=True)
class Certificates:
    """Files for TLS; the system's authorities where none is named."""

    authority: Path | None = None
    own: Path | None = None
    key: Path | None = None


def add_broker(parser: ArgumentParser) -> None:
    """Let a command line say which broker is meant."""
    parser.add_argument(
        "--broker",
        type=read_broker,
        default=read_broker("mqtt://127.0.0.1"),
        metavar="URL",
        help="mqtt://host:1883, or mqtts://host:8883 with TLS (mqtt://127.0.0.1)",
    )


def add_identity(parser: ArgumentParser) -> None:
    """Let a command line say who asks, and by which authority the broker is judged."""
    add = parser.add_argument
    add("--username", help="user (MQTT_USERNAME); the password is MQTT_PASSWORD")
    add("--ca", type=Path, metavar="FILE", help="authority that the broker's certificate is of")


def read_broker(text: str) -> Broker:
    """Read the address of a broker."""
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if "@" in text:
        raise argparse.ArgumentTypeError("the user goes to --username, not into the address")
    if not host or parts.scheme not in PORTS or parts.path.strip("/") or len(host) > 255:
        raise argparse.ArgumentTypeError("not an address like mqtt://127.0.0.1:1883")
    return Broker(host, port or PORTS[parts.scheme], parts.scheme == "mqtts")


def build_context(files: Certificates) -> ssl.SSLContext:
    """Return what certificates are judged by.

    Raises:
        SettingsInvalidError: A file cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=files.authority)
        if files.own is not None:
            context.load_cert_chain(files.own, files.key)
    except OSError as error:
        raise SettingsInvalidError(f"The certificates cannot be used: {error}.") from error
    return context
