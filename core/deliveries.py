"""Deliveries: what becomes of one thing that is sent over one route.

    queued ─ leased ─► sending ─ taken ──────────────────► delivered
      ╰──── again, later ─┴──── refused, too often, too long ──► failed ─ sent again by a person

Pure. A delivery is sent at least once and always with the same id, by which a receiver knows a
repeat: its effect is once. While it is ``sending`` it belongs to one worker, until its lease ends.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from random import Random
from typing import Final

from core.doublings import double

RETRY_AFTER_MAX: Final = timedelta(hours=1)
"""A receiver that asks for more patience is asked again all the same."""

AGAIN: Final = frozenset({408, 425, 429})
"""Refusals that speak of the moment and not of what was sent."""

PATIENT: Final = frozenset({429, 503})
"""Answers whose Retry-After counts."""

DETAIL_LENGTH_MAX: Final = 500
"""Of what a receiver says, as much as one reads in a list."""

KEPT_FOR: Final = timedelta(days=30)
"""How long deliveries that are done are kept, with their attempts."""


class DeliveryState(StrEnum):
    """How far a delivery is."""

    QUEUED = "queued"
    SENDING = "sending"
    DELIVERED = "delivered"
    FAILED = "failed"


class Outcome(StrEnum):
    """How an attempt ended."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The receiver does not want it, and will not."""

    RETRIED = "retried"
    """The receiver was away, slow or busy."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending something once."""

    outcome: Outcome
    status: int | None = None
    """Of an HTTP answer."""

    detail: str | None = None
    """For people; never with a secret."""

    retry_after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """Decides how long somebody is asked again."""

    attempts_max: int = 200
    retried_for: timedelta = timedelta(hours=24)
    """After the first attempt; what waits for quiet hours or its turn does not count."""

    pause_first_s: float = 1.0
    pause_s_max: float = 300.0


def judge_answer(status: int, detail: str | None, retry_after: timedelta | None = None) -> Attempt:
    """Return what an HTTP answer means."""
    if 200 <= status < 300:
        return Attempt(Outcome.DELIVERED, status)
    if status < 500 and status not in AGAIN:
        return Attempt(Outcome.REFUSED, status, detail)
    patience = min(retry_after, RETRY_AFTER_MAX) if retry_after and status in PATIENT else None
    return Attempt(Outcome.RETRIED, status, detail, patience)


def is_given_up(
    policy: DeliveryPolicy, *, attempts: int, first_at: datetime, now: datetime
) -> bool:
    """Whether somebody was asked often enough, or long enough."""
    return attempts >= policy.attempts_max or now - first_at >= policy.retried_for


def draw_pause(policy: DeliveryPolicy, attempts: int, random: Random) -> timedelta:
    """Return how long to wait after so many attempts in a row.

    Drawn from the upper half of a limit that doubles: those that failed together do not come back
    together, and none comes back at once.
    """
    limit_s = double(policy.pause_first_s, policy.pause_s_max, attempts - 1)
    return timedelta(seconds=random.uniform(limit_s / 2, limit_s))


def cut_detail(text: str) -> str | None:
    """Return what a receiver said as one line that can be stored."""
    line = " ".join(text.replace("\x00", "").split())
    return line[:DETAIL_LENGTH_MAX] or None


def read_retry_after(value: str | None) -> timedelta | None:
    """Return what a Retry-After header asks for; only seconds count."""
    if value is None or not value.isascii() or not value.isdigit():
        return None
    return timedelta(seconds=min(int(value[:9]), RETRY_AFTER_MAX.total_seconds()))
