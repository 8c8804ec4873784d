"""People: who shows a token of the OpenID provider, for as long as it is good.

    token ─► keys of the provider ─► claims ─► caller

A token is proved anew with every request: nothing of it is kept. What stays open ends with it.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from api.keys.endings import NOT_GOOD
from api.keys.providers import ProviderKeys
from api.keys.tokens import BAD, Expected, find_key_id, is_worth_asking, prove
from core.clock import Clock
from core.errors import UnauthorizedError
from core.keys import Caller
from core.people import PeoplePolicy, read_grants, read_person
from core.settings import Settings


class People:
    """Knows people by their tokens."""

    def __init__(
        self, keys: ProviderKeys, expected: Expected, policy: PeoplePolicy, clock: Clock
    ) -> None:
        self._keys = keys
        self._expected = expected
        self._policy = policy
        self._clock = clock

    @classmethod
    def of(cls, settings: Settings, clock: Clock) -> Self | None:
        """Return the people of a provider; None when no provider is set."""
        if settings.oidc_issuer is None:
            return None
        policy = PeoplePolicy(
            claim=settings.oidc_scopes_claim,
            grants=read_grants(settings.oidc_grants),
            streams_claim=settings.oidc_streams_claim,
        )
        expected = Expected(settings.oidc_issuer, settings.oidc_audience)
        return cls(ProviderKeys(settings.oidc_issuer, clock), expected, policy, clock)

    async def start(self) -> None:
        """Get to know the provider."""
        await self._keys.start()

    async def stop(self) -> None:
        """Forget it."""
        await self._keys.stop()

    async def find(self, token: str) -> Caller:
        """Return whose token a text is.

        Raises:
            UnauthorizedError: It is no good token of the provider.
            ServiceMissingError: Nobody can tell.
        """
        key_id = find_key_id(token)
        if not self._keys.is_known or not self._keys.has(key_id):
            if not is_worth_asking(token, self._expected, self._clock.now()):
                raise UnauthorizedError(BAD)
            await self._keys.renew()
        proved = prove(token, self._keys.get(), self._expected, self._clock.now())
        return read_person(proved.claims, self._policy, expires_at=proved.expires_at)

    def require_time(self, caller: Caller) -> None:
        """Make sure that the token of one who has proved it before is not over.

        Raises:
            UnauthorizedError: It is.
        """
        if caller.expires_at is None or caller.expires_at <= self._clock.now():
            raise UnauthorizedError(BAD)

    @contextmanager
    def watch(self, caller: Caller) -> Iterator[asyncio.Future[int]]:
        """Lend what will hold the code of a close once a caller's token is over."""
        loop = asyncio.get_running_loop()
        gone: asyncio.Future[int] = loop.create_future()
        left_s = 0.0
        if caller.expires_at is not None:
            left_s = max(0.0, (caller.expires_at - self._clock.now()).total_seconds())
        timer = loop.call_later(left_s, gone.set_result, NOT_GOOD)
        try:
            yield gone
        finally:
            timer.cancel()
