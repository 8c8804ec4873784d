"""Alert routes: where alerts are sent, how often, and when not.

    webhook       http(s)://…    CloudEvents, signed
    alertmanager  http(s)://…    the base URL; its v2 API is asked
    apprise       slack://… mailto://… and whatever else the library knows

Pure. A route's target and its secret may be all that somebody needs to write to a chat or to forge
an alert: nothing but the worker that sends ever reads them whole.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from core.alerts import Severity
from core.weekly_hours import WeeklyHours, read_hours

ROUTES_MAX: Final = 200
"""Each is asked for every round of sending."""

IN_FLIGHT_MAX: Final = 4
"""Deliveries of one route at once: a slow receiver keeps these, and no others, waiting."""

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with.
SECRET_BYTES_MIN: Final = 24
SECRET_BYTES_MAX: Final = 64
"""As Standard Webhooks has it."""

ECHO_LENGTH_MIN: Final = 6
"""Shorter parts of a target are words like "api", which stand in answers for themselves."""

HIDDEN: Final = "…"
"""What stands for everything of a target that may be a secret."""


class RouteKind(StrEnum):
    """In which way a route takes alerts."""

    WEBHOOK = "webhook"
    ALERTMANAGER = "alertmanager"
    APPRISE = "apprise"


@dataclass(frozen=True, slots=True)
class AlertRoute:
    """Where alerts are sent."""

    route_id: str
    kind: RouteKind
    target: str = field(repr=False)
    secret: str | None = field(default=None, repr=False)
    is_enabled: bool = True
    per_minute_max: int | None = None
    """What exceeds it waits."""

    quiet: WeeklyHours | None = None
    """Hours in which nothing is sent; it waits until they end."""

    is_woken: bool = True
    """Whether what is critical is sent in quiet hours too."""

    time_out_s: float = 10.0

    def takes(self, severity: Severity, at: datetime) -> bool:
        """Whether something of a severity is sent at a time."""
        if self.quiet is None or not self.quiet.holds(at):
            return True
        return self.is_woken and severity is Severity.CRITICAL


def read_route(row: Mapping[str, Any]) -> AlertRoute:
    """Return a route as it is stored, with its secrets."""
    return AlertRoute(
        route_id=row["route_id"],
        kind=RouteKind(row["kind"]),
        target=row["target"],
        secret=row["secret"],
        is_enabled=row["enabled"],
        per_minute_max=row["rate_per_minute"],
        quiet=read_hours(row["quiet"]),
        is_woken=row["critical_passes"],
        time_out_s=row["timeout_s"],
    )


def find_wrong_target(kind: RouteKind, target: str) -> str | None:
    """Return what is wrong with a target, without a part of it; None when nothing is."""
    try:
        parts = urlsplit(target)
        # Also a port that is none is found only when it is asked for.
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if kind is RouteKind.APPRISE:
        return (
            None if parts.scheme else "has to begin with a scheme that Apprise knows, as slack://"
        )
    if parts.scheme not in {"http", "https"} or not host:
        return "has to begin with http:// or https:// and name a host"
    return None


def hide_target(kind: RouteKind, target: str) -> str:
    """Return what people may see of a target: where it leads, and nothing that opens a door."""
    parts = urlsplit(target)
    if kind is RouteKind.APPRISE:
        # What stands for a host there may be a token.
        return f"{parts.scheme}://{HIDDEN}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    port = "" if parts.port is None else f":{parts.port}"
    more = HIDDEN if parts.path.strip("/") or parts.query or parts.username else ""
    return f"{parts.scheme}://{host}{port}/{more}"


def read_secret(secret: str) -> bytes:
    """Return the key that a secret stands for.

    Raises:
        ValueError: It is none.
    """
    wrong = (
        f"begins with {SECRET_PREFIX} and goes on with {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX}"
        " bytes in base64; `openssl rand -base64 32` makes such bytes"
    )
    if not secret.startswith(SECRET_PREFIX):
        raise ValueError(wrong)
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except ValueError:
        raise ValueError(wrong) from None
    if not SECRET_BYTES_MIN <= len(key) <= SECRET_BYTES_MAX:
        raise ValueError(wrong)
    return key


def hide_secrets(text: str, target: str) -> str:
    """Return a text without the parts of a target that may be secrets: some receivers echo them."""
    parts = urlsplit(target)
    words = re.split(r"[/?&=:@#,]", target.partition("://")[2])
    hidden = [target, parts.path, parts.query, *(unquote(word) for word in words), *words]
    host = parts.hostname or ""
    for secret in sorted(set(hidden), key=len, reverse=True):
        if len(secret) >= ECHO_LENGTH_MIN and secret.lower() not in {host, "localhost"}:
            text = text.replace(secret, HIDDEN)
    return text
