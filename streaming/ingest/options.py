"""Options: what command lines that send to the API have in common."""

import argparse
from datetime import datetime
from urllib.parse import urlsplit

from core.times import parse_time


def read_url(text: str) -> str:
    """Read the address of an API."""
    try:
        parts = urlsplit(text)
        is_good = bool(parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0)
    except ValueError:
        is_good = False
    # A password in the address would end up in the log.
    if not is_good or "@" in text:
        raise argparse.ArgumentTypeError("not an address like http://127.0.0.1:8000")
    return text


def read_time(text: str) -> datetime:
    """Read a time."""
    try:
        return parse_time(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: {error}") from None
