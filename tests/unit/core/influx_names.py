"""Names of channels and streams as they must come out, worked out in plain Python."""

import string
from typing import Final

LETTERS: Final = string.ascii_letters + string.digits + "_@+#-"


def _escape(name: str, kept: str) -> str:
    return "".join(
        chr(byte) if byte < 128 and chr(byte) in LETTERS + kept else f"~{byte:02X}"
        for byte in name.encode()
    )


def _cut(name: str) -> str:
    if len(name) <= 128:
        return name
    hashed = 0xCBF29CE484222325
    for byte in name.encode():
        hashed = (hashed ^ byte) * 0x100000001B3 % 2**64
    return f"{name[:110]}~~{hashed:016X}"


def _write_key(key: str) -> str:
    """Return a key as it stands in a line: tags are ordered by that."""
    return "".join(f"\\{sign}" if sign in "=, " else sign for sign in key)


def name_stream(name: str) -> str:
    return _cut(_escape(name, ".:="))


def name_channel(measurement: str, field: str, tags: dict[str, str]) -> str:
    ordered = sorted(tags.items(), key=lambda tag: _write_key(tag[0]).encode())
    suffix = "".join(f":{_escape(key, '.')}={_escape(value, '.=')}" for key, value in ordered)
    return _cut(f"{_escape(measurement, '.:')}.{_escape(field, ':')}{suffix}")
