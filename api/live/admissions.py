"""Admissions: how many live connections this process takes, and from whom."""

from collections import Counter
from dataclasses import dataclass
from typing import Final

from core.errors import LiveFullError
from core.settings import Settings

RETRY_AFTER_S: Final = 5


@dataclass(frozen=True, slots=True)
class LivePolicy:
    """What one process and one client may take."""

    connections_max: int
    per_address_max: int
    per_key_max: int
    queue_messages: int

    @classmethod
    def of(cls, settings: Settings) -> "LivePolicy":
        """Return the policy of the settings."""
        return cls(
            connections_max=settings.live_connections_max,
            per_address_max=settings.live_connections_per_address_max,
            per_key_max=settings.live_connections_per_key_max,
            queue_messages=settings.live_queue_messages,
        )


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who wants in: from where, and with which key, if one was asked for."""

    address: str = "unknown"
    key_id: str | None = None
    name: str = ""
    """Of the key."""


class Admissions:
    """Counts who is in."""

    def __init__(self, policy: LivePolicy) -> None:
        self._policy = policy
        self._by_address: Counter[str] = Counter()
        self._by_key: Counter[str | None] = Counter()
        self.is_closed = False
        """Whether the process is about to stop."""

    def enter(self, visitor: Visitor) -> None:
        """Let a client in.

        Raises:
            LiveFullError: There are as many as there may be, or the process is about to stop.
        """
        if self.is_closed:
            raise LiveFullError("This process is stopping. Connect again.", retry_after_s=1)
        if self._by_key.total() >= self._policy.connections_max:
            raise LiveFullError(
                f"This process has {self._policy.connections_max} live connections, and takes no"
                " more. Try again later, or ask for more API processes.",
                retry_after_s=RETRY_AFTER_S,
            )
        if self._by_address[visitor.address] >= self._policy.per_address_max:
            raise LiveFullError(
                f"{visitor.address} has {self._policy.per_address_max} live connections, and gets"
                " no more. Close some; one connection can follow many streams.",
                retry_after_s=RETRY_AFTER_S,
            )
        is_named = visitor.key_id is not None
        if is_named and self._by_key[visitor.key_id] >= self._policy.per_key_max:
            raise LiveFullError(
                f"The key {visitor.name} has {self._policy.per_key_max} live connections, and gets"
                " no more. Close some; one connection can follow many streams.",
                retry_after_s=RETRY_AFTER_S,
            )
        self._by_address[visitor.address] += 1
        self._by_key[visitor.key_id] += 1

    def leave(self, visitor: Visitor) -> None:
        """Count a client out."""
        self._by_address[visitor.address] -= 1
        self._by_key[visitor.key_id] -= 1
        if not self._by_address[visitor.address]:
            del self._by_address[visitor.address]
        if not self._by_key[visitor.key_id]:
            del self._by_key[visitor.key_id]
