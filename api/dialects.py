"""Dialects: what the clients of other protocols look for in a refusal.

    refusal ─► problem document + the members that such clients read

A problem document may have members of its own (RFC 9457), so one document serves both.
``api.errors`` asks here, for what an endpoint refuses and for what the door does.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from core.access import QUERY, WRITE_V1, WRITE_V2


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one protocol refuses."""

    text: str | None = None
    """The member with what happened."""

    code: str | None = None
    """The member with a word for it."""

    statuses: Mapping[int, int] = field(default_factory=dict)
    """Statuses that its clients would take for something else, and which say the same to them."""

    def choose_status(self, status: int) -> int:
        """Return the status that makes clients do what ours is meant to."""
        return self.statuses.get(status, status)

    def write(self, status: int, detail: str) -> dict[str, str]:
        """Return the members that clients look for."""
        members = {}
        if self.text is not None:
            members[self.text] = detail
        if self.code is not None:
            members[self.code] = _CODES.get(status, "internal error")
        return members


_CODES: Final = {
    400: "invalid",
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    405: "method not allowed",
    413: "request too large",
    415: "invalid",
    422: "unprocessable entity",
    429: "too many requests",
    503: "unavailable",
}
"""InfluxDB's words."""

_OURS: Final = Dialect()

# Telegraf's output for InfluxDB 1 drops what is answered with any 4xx, 429 too, and keeps the rest.
_INFLUX_V1: Final = Dialect(text="error", statuses={429: 503})
_INFLUX_V2: Final = Dialect(text="message", code="code")

_DIALECTS: Final = {WRITE_V1: _INFLUX_V1, QUERY: _INFLUX_V1, WRITE_V2: _INFLUX_V2}


def choose_dialect(path: str) -> Dialect:
    """Return how the clients of a path are refused."""
    return _DIALECTS.get(path, _OURS)
