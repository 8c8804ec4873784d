"""Providers: the public keys of an OpenID provider, known ahead of the tokens they prove.

    {issuer}/.well-known/openid-configuration ─► jwks_uri ─► keys, every five minutes
    a token with an unknown key ─► asked again, once in ten seconds at most, for all together

While the provider is away the last keys stay good for ``KNOWN_FOR``, so that people go on working;
then nobody can tell who they are.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final

import httpx
import orjson
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from api.keys.tokens import import_keys
from core.clock import Clock
from core.errors import ServiceMissingError
from core.tasks import end
from core.urls import is_safe_url

DISCOVERY: Final = "/.well-known/openid-configuration"

RENEW_EVERY_S: Final = 300
"""How soon a key that the provider withdrew proves nothing any more."""

ASK_EVERY: Final = timedelta(seconds=10)
"""Whoever makes up names of keys makes us ask no more often."""

KNOWN_FOR: Final = timedelta(hours=1)
"""As long as a provider may take to come back; longer than that, a key may be withdrawn."""

ANSWER_TIMEOUT_S: Final = 5
"""A provider that takes longer counts as away."""

BYTES_MAX: Final = 256 * 1024
"""Of an answer; the keys of large providers take some ten kilobytes."""

log = structlog.get_logger()


class ProviderError(Exception):
    """The provider answered, and not what it should."""


_AWAY: Final = (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ProviderError)


class ProviderKeys:
    """Knows the keys of one provider."""

    def __init__(self, issuer: str, clock: Clock) -> None:
        self._issuer = issuer
        self._clock = clock
        self._keys = KeySet([])
        self._known_at: datetime | None = None
        self._asked_at: datetime | None = None
        self._is_away = False
        self._turn = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Ask for the keys and go on asking."""
        await self.renew()
        self._task = asyncio.create_task(self._renew_for_ever())

    async def stop(self) -> None:
        """Stop asking."""
        if self._task is not None:
            await end(self._task)

    @property
    def is_known(self) -> bool:
        """Whether the keys were read, and not too long ago."""
        return self._known_at is not None and self._clock.now() - self._known_at < KNOWN_FOR

    def has(self, key_id: str | None) -> bool:
        """Whether there is a key of an id; of none, where there is one key."""
        if key_id is None:
            return len(self._keys.keys) == 1
        return any(key.kid == key_id for key in self._keys)

    def get(self) -> KeySet:
        """Return the keys.

        Raises:
            ServiceMissingError: They are not known.
        """
        if not self.is_known:
            raise ServiceMissingError(
                "Who you are cannot be told while the sign-in service is away. Try again soon.",
                retry_after_s=2,
            )
        return self._keys

    async def renew(self) -> None:
        """Ask for the keys, if that was not done just now; the last ones stay when it fails."""
        async with self._turn:
            now = self._clock.now()
            if self._asked_at is not None and now - self._asked_at < ASK_EVERY:
                return
            self._asked_at = now
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    self._keys = await self._ask()
            except _AWAY as error:
                if not self._is_away:
                    log.warning("oidc_provider_away", error=type(error).__name__, detail=str(error))
                self._is_away = True
                return
            if self._is_away or self._known_at is None:
                log.info("oidc_provider_asked", keys=len(self._keys.keys))
            self._is_away = False
            self._known_at = now

    async def _renew_for_ever(self) -> None:
        while True:
            await asyncio.sleep(ASK_EVERY.total_seconds() if self._is_away else RENEW_EVERY_S)
            await self.renew()

    async def _ask(self) -> KeySet:
        # No redirects: they could lead inside our own network.
        async with httpx.AsyncClient(timeout=ANSWER_TIMEOUT_S, follow_redirects=False) as client:
            document = await _read(client, self._issuer.rstrip("/") + DISCOVERY)
            if document.get("issuer") != self._issuer:
                raise ProviderError("its document names another issuer")
            address = document.get("jwks_uri")
            if not isinstance(address, str) or not is_safe_url(address):
                raise ProviderError("its document names no address of keys over https")
            found = (await _read(client, address)).get("keys")
        try:
            return import_keys(found)
        except (JoseError, ValueError, TypeError) as error:
            raise ProviderError("its keys cannot be read") from error


async def _read(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    """Return the document at an address, and read no more of it than there may be."""
    body = b""
    async with client.stream("GET", url) as answer:
        if answer.status_code != httpx.codes.OK:
            raise ProviderError(f"it answered {answer.status_code}")
        async for chunk in answer.aiter_bytes():
            body += chunk
            if len(body) > BYTES_MAX:
                raise ProviderError("its answer is too long")
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProviderError("its answer is not JSON") from error
    if not isinstance(document, dict):
        raise ProviderError("its answer is no object")
    return document
