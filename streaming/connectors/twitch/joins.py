"""Joins: how many channels may be entered at once. The service ignores who asks faster."""

import asyncio
from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class JoinPolicy:
    """Decides how fast channels are joined."""

    joins_max: int = 20
    """What an ordinary account, or an address without one, may ask for in ``per_s``."""

    per_s: float = 10.5
    """Ten seconds by the service's clock, and a little for the way there."""

    per_line_max: int = 10
    """Channels of one JOIN: ten of the longest names fit into a line of IRC."""


class JoinGate:
    """Lets joins through at the pace of the service; one for all sockets of the process."""

    def __init__(self, policy: JoinPolicy | None = None) -> None:
        self._policy = policy or JoinPolicy()
        self._entered: deque[float] = deque(maxlen=self._policy.joins_max)
        self._turn = asyncio.Lock()

    async def enter(self, wanted: int) -> int:
        """Return how many of so many may join now, at least one, once there is room."""
        async with self._turn:
            now_s = asyncio.get_running_loop().time()
            if len(self._entered) == self._policy.joins_max:
                pause_s = self._entered[0] + self._policy.per_s - now_s
                await asyncio.sleep(max(0.0, pause_s))
                now_s = asyncio.get_running_loop().time()
            recent = sum(at_s > now_s - self._policy.per_s for at_s in self._entered)
            free = max(1, self._policy.joins_max - recent)
            count = min(wanted, free, self._policy.per_line_max)
            self._entered.extend([now_s] * count)
            return count
