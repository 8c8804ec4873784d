"""Options: what the command line says of Twitch."""

import argparse
import re
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

from core.ids import NAME_PATTERN
from streaming.connectors.processes import begin_options
from streaming.connectors.twitch.helix import API_URL, TOKEN_URL
from streaming.connectors.twitch.sockets import URL

CHANNELS_MAX: Final = 1000
"""At twenty joins in ten seconds the last one is heard after nine minutes; more need a second
process with an address of its own."""

_CHANNEL: Final = re.compile(r"[a-z0-9_]{1,25}")


def read_options(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; a wrong value ends the process and says what is right."""
    parser = begin_options(
        "twitch",
        "Read chats of Twitch, without an account. With TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET"
        " also viewers, titles and categories.",
        "telemetra connect twitch --channel northlight,harbour --as tw-",
    )
    add = parser.add_argument
    add(
        "--channel",
        dest="channels",
        metavar="A,B",
        action="append",
        required=True,
        type=_read_channels,
        help="channels by their names in the address; may be named again for more",
    )
    add(
        "--as",
        dest="prefix",
        metavar="PREFIX",
        default="",
        type=_read_prefix,
        help="stands before a channel's name in the stream's id (nothing)",
    )
    add("--chat-url", default=URL, type=_read_chat_url, help="the chat's server (%(default)s)")
    add("--helix-url", default=API_URL, help="the web API (%(default)s)")
    add("--token-url", default=TOKEN_URL, help="where tokens are given (%(default)s)")
    options = parser.parse_args(arguments)
    options.channels = sorted({name for names in options.channels for name in names})
    if len(options.channels) > CHANNELS_MAX:
        parser.error(f"--channel takes {CHANNELS_MAX} channels at most")
    return options


def _read_channels(text: str) -> list[str]:
    names = [part.strip().removeprefix("#").lower() for part in text.split(",") if part.strip()]
    wrong = [name for name in names if not _CHANNEL.fullmatch(name)]
    if wrong or not names:
        raise argparse.ArgumentTypeError(
            f"{wrong[0] if wrong else text!r} is no channel: 1 to 25 letters, digits or _"
        )
    return names


def _read_prefix(text: str) -> str:
    # With the longest channel behind it the id must still be one.
    if not re.fullmatch(NAME_PATTERN, text + "x" * 25):
        raise argparse.ArgumentTypeError(f"{text!r} is not up to 103 letters, digits or _.:@~+=#-")
    return text


def _read_chat_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        is_good = parts.scheme in {"ws", "wss"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_good = False
    if not is_good or "@" in text:
        raise argparse.ArgumentTypeError(f"not an address like {URL}")
    return text
