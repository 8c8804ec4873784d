"""Device news: what devices and commands tell, on its way to the clients of every API process.

    link ─► hub ─► its own clients
             └──► Redis ─► hubs of the other processes ─► their clients
    jobs ────────►   │
                     └──► jobs that listen to a device

A payload begins with the name of the process that sent it, which has told its clients already.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

import orjson

from core.live import LiveMessage, pack_messages, unpack_messages

CHANNEL: Final = "live:devices"
"""The Redis channel of all of it."""

DATA: Final = "data"
RESULT: Final = "command_result"
MESSAGE: Final = "device_message"
LINK: Final = "device_link"
SCRIPT: Final = "script_run"
SCRIPT_END: Final = "script_run_end"
"""Told as ``script_run``, too: how one ended, which no client may miss."""

REGISTERED: Final = "registered"
"""For processes only: a connection of a device is the newest one, and what its number is."""

TOLD: Final = frozenset({DATA, RESULT, MESSAGE, LINK, SCRIPT, SCRIPT_END})
"""What clients get."""

LATEST_WINS: Final = frozenset({DATA, LINK, SCRIPT})
NEVER_SKIPPED: Final = frozenset({RESULT, MESSAGE, SCRIPT_END})


class Payload(NamedTuple):
    """What came over Redis."""

    origin: str
    messages: list[LiveMessage]


def pack_payload(origin: str, messages: Iterable[LiveMessage]) -> bytes:
    """Return messages as one payload."""
    return origin.encode() + b"\n" + pack_messages(messages)


def unpack_payload(payload: bytes) -> Payload:
    """Read a payload back.

    Raises:
        ValueError: It is none; somebody else wrote to the channel.
    """
    origin, _, lines = payload.partition(b"\n")
    return Payload(origin.decode(), list(unpack_messages(lines)))


def tell_point(device_id: str, name: str, value: bytes, at: datetime) -> LiveMessage:
    """Return the message of a point; its value is JSON already."""
    body = b'{"type":"data","device_id":"%b","id":"%b","value":%b,"timestamp":"%b"}' % (
        device_id.encode(),
        name.encode(),
        value,
        at.strftime("%Y-%m-%dT%H:%M:%S.%fZ").encode(),
    )
    return LiveMessage(device_id, DATA, name, body)


def tell_device(device_id: str, kind: str, key: str, facts: dict[str, Any]) -> LiveMessage:
    """Return a message about a device."""
    body = orjson.dumps({"type": kind, "device_id": device_id, **facts}, option=orjson.OPT_UTC_Z)
    return LiveMessage(device_id, kind, key, body)
