"""Tickets: a browser's way onto a socket, since it can send no headers there.

    POST /api/v1/tickets (with the key) ─► tt_… ─► /ws/live?ticket=tt_…    once, within seconds

An address ends up in logs and histories; a ticket found there opens nothing. Redis keeps the hash,
so that any API process can redeem what another one issued.
"""

import secrets
from datetime import timedelta
from typing import Final, cast

import redis.asyncio
import redis.exceptions

from core.errors import ServiceMissingError, UnauthorizedError
from core.keys import hash_text

GOOD_FOR: Final = timedelta(seconds=30)
"""Longer than a browser takes to open a socket on a poor line."""

TEXT_LENGTH_MAX: Final = 100
"""Longer texts are none of ours and are not hashed."""


class TicketBox:
    """Issues tickets and takes them back."""

    def __init__(self, client: redis.asyncio.Redis) -> None:
        self._redis = client

    async def issue(self, kept: str) -> str:
        """Return a ticket, and keep for it what tells who got it.

        Raises:
            ServiceMissingError: Redis is away.
        """
        text = f"tt_{secrets.token_urlsafe(32)}"
        try:
            await self._redis.set(_name(text), kept, ex=GOOD_FOR)
        except (redis.exceptions.RedisError, OSError) as error:
            raise _away() from error
        return text

    async def redeem(self, text: str) -> str:
        """Take a ticket and return what was kept for it.

        Raises:
            UnauthorizedError: It is none of ours, was used, or is too old.
            ServiceMissingError: Redis is away.
        """
        if len(text) > TEXT_LENGTH_MAX:
            raise UnauthorizedError("The ticket is not good. Get a new one.")
        try:
            # The library's types cannot know that answers are bytes here.
            kept = cast("bytes | None", await self._redis.getdel(_name(text)))
        except (redis.exceptions.RedisError, OSError) as error:
            raise _away() from error
        if kept is None:
            raise UnauthorizedError("The ticket is not good. Get a new one.")
        return kept.decode()


def _name(text: str) -> str:
    return f"ticket:{hash_text(text).hex()}"


def _away() -> ServiceMissingError:
    return ServiceMissingError(
        "Tickets wait in Redis, and it does not answer. Try again in a moment.", retry_after_s=2
    )
