"""Headers: a request's by name, and an answer's as bytes; for what every request asks."""

from collections.abc import Mapping
from typing import Final, TypeAlias, cast

from starlette.types import Scope

RawHeaders: TypeAlias = list[tuple[bytes, bytes]]

READ: Final = "telemetra.headers"
"""Where they are kept once they were asked for."""


def read_headers(scope: Scope) -> Mapping[bytes, bytes]:
    """Return the headers by name in lower case, as ASGI servers hand them on."""
    if READ not in scope:
        # Backwards: of two with the same name the first one stays.
        scope[READ] = dict(reversed(scope["headers"]))
    return cast("Mapping[bytes, bytes]", scope[READ])


def find_header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of a name."""
    value = read_headers(scope).get(name)
    return None if value is None else value.decode("latin-1")


def encode_headers(headers: Mapping[str, str]) -> RawHeaders:
    """Return headers as they go over the wire."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]
