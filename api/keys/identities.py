"""Identities: who it is that asks, by whatever was shown.

    tk_…                ─► key ring
    eyJ… . … . …        ─► people, where there is a provider
    ticket              ─► who got it, if still welcome

The door asks here and knows of no kinds.
"""

import asyncio
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Final

import orjson

from api.keys.people import People
from api.keys.rings import KeyRing
from api.keys.tickets import TicketBox
from api.keys.tokens import looks_like_token
from core.errors import UnauthorizedError
from core.keys import Caller, Scope

PERSON: Final = "{"
"""What a person is kept as begins so; no prefix of a key does."""


class Identities:
    """Tells who somebody is."""

    def __init__(self, ring: KeyRing, people: People | None, tickets: TicketBox) -> None:
        self._ring = ring
        self._people = people
        self._tickets = tickets

    @property
    def is_required(self) -> bool:
        """Whether anybody is asked."""
        return self._ring.is_required

    @property
    def turn(self) -> int:
        """Which turn of the key ring this is: until the next, nothing changes for its keys."""
        return self._ring.turns

    async def start(self) -> None:
        """Get to know who may come."""
        await self._ring.start()
        if self._people is not None:
            await self._people.start()

    async def stop(self) -> None:
        """Forget them."""
        if self._people is not None:
            await self._people.stop()
        await self._ring.stop()

    def find_at_hand(self, shown: str | None) -> Caller | None:
        """Return who shows something, where that takes no waiting.

        Raises:
            UnauthorizedError: It is no good.
            DatabaseAwayError: Nobody can tell whose key it is.
        """
        return None if self._is_token(shown) else self._ring.find(shown)

    async def find(self, shown: str | None) -> Caller:
        """Return who shows something.

        Raises:
            UnauthorizedError: It is no good.
            DatabaseAwayError: Nobody can tell whose key it is.
            ServiceMissingError: Nobody can tell whose token it is.
        """
        if self._people is not None and shown is not None and self._is_token(shown):
            return await self._people.find(shown)
        return self._ring.find(shown)

    async def issue_ticket(self, caller: Caller) -> str:
        """Return a ticket for a caller.

        Raises:
            ServiceMissingError: Redis is away.
        """
        kept = caller.prefix if caller.expires_at is None else _write_person(caller)
        return await self._tickets.issue(kept)

    async def redeem(self, ticket: str) -> Caller:
        """Take a ticket and return who got it.

        Raises:
            UnauthorizedError: It is no good, or its owner is not welcome any more.
            DatabaseAwayError: Nobody can tell whether the key is still good.
            ServiceMissingError: Redis is away.
        """
        kept = await self._tickets.redeem(ticket)
        if not kept.startswith(PERSON):
            return self._ring.find_by_prefix(kept)
        if self._people is None:
            raise UnauthorizedError("People are not let in any more. Show a key.")
        caller = _read_person(kept)
        self._people.require_time(caller)
        return caller

    def watch(self, caller: Caller) -> AbstractContextManager[asyncio.Future[int]]:
        """Lend what will hold the code of a close once a caller may no longer be here."""
        if self._people is not None and caller.expires_at is not None:
            return self._people.watch(caller)
        return self._ring.watch(caller)

    def _is_token(self, shown: str | None) -> bool:
        has_people = self._people is not None and self.is_required
        return has_people and shown is not None and looks_like_token(shown)


def _write_person(caller: Caller) -> str:
    person = {
        "name": caller.name,
        "key_id": caller.key_id,
        "scopes": sorted(caller.scopes),
        "streams": caller.streams,
        "expires_at": caller.expires_at,
    }
    return orjson.dumps(person).decode()


def _read_person(kept: str) -> Caller:
    person = orjson.loads(kept)
    return Caller(
        name=person["name"],
        scopes=frozenset(map(Scope, person["scopes"])),
        key_id=person["key_id"],
        streams=None if person["streams"] is None else tuple(person["streams"]),
        expires_at=datetime.fromisoformat(person["expires_at"]),
    )
