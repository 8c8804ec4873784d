"""API keys: what one looks like, and what a caller who shows it may do.

    tk_<prefix>_<secret>      the prefix finds the key, the secret proves it
    read  ingest  operate  admin (all of them)

Only the SHA-256 of a key is kept. A slow hash protects words that people think of; nobody goes
through 2^256 random secrets, and a key is hashed with every request. ``core.access`` says which
scope a request needs, ``db.api_keys`` keeps keys, ``api.keys`` asks for them.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Final

KEYS_MAX: Final = 1000
"""Good keys at once: every API process holds them all and reads them anew twice a second."""

STREAMS_MAX: Final = 50
"""Patterns of one key; each is tried against each stream of a request."""

STREAM_PATTERN: Final = r"^[A-Za-z0-9_.:@~+=#*-]{1,128}$"
"""What the name of a stream may be, and ``*`` for any part of one."""

_PREFIX_BYTES: Final = 6
_SECRET_BYTES: Final = 32
_KEY: Final = re.compile(r"tk_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")


class Scope(StrEnum):
    """A kind of thing that a key allows."""

    READ = "read"
    """See streams, minutes, moments and live messages."""

    INGEST = "ingest"
    """Send events."""

    OPERATE = "operate"
    """Change what is there: names of streams, states of moments, tunings, boards, sessions, notes;
    see dead letters, replay them."""

    ADMIN = "admin"
    """All of it, and the keys themselves."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A new key, in the only moment in which its text is known."""

    text: str = field(repr=False)
    prefix: str
    digest: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and what that one may do."""

    name: str
    scopes: frozenset[Scope]
    key_id: str | None = None
    prefix: str = ""
    streams: tuple[str, ...] | None = None
    """Patterns of the streams within reach; None for all."""

    expires_at: datetime | None = None
    """When a person's token ends; keys are looked up again instead."""

    def allows(self, scope: Scope) -> bool:
        """Whether the caller may do things of this kind."""
        return scope in self.scopes or Scope.ADMIN in self.scopes

    def allows_stream(self, stream_id: str) -> bool:
        """Whether a stream is within reach."""
        return self.streams is None or any(
            fnmatchcase(stream_id, pattern) for pattern in self.streams
        )


EVERYONE: Final = Caller("everyone", frozenset({Scope.ADMIN}))
"""Whoever comes while no key is asked for."""


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key as it is kept."""

    caller: Caller
    digest: bytes = field(repr=False)
    expires_at: datetime | None

    def is_good(self, now: datetime) -> bool:
        """Whether its time has not come yet."""
        return self.expires_at is None or now < self.expires_at


def make_secret() -> Secret:
    """Return a new key with 256 random bits."""
    prefix = secrets.token_hex(_PREFIX_BYTES)
    text = f"tk_{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return Secret(text, prefix, hash_text(text))


def make_key_id() -> str:
    """Return a new id of a key; it stays when the secret is replaced."""
    return "key_" + secrets.token_hex(8)


def find_prefix(text: str) -> str | None:
    """Return the prefix of a key's text; None when it is no such text."""
    found = _KEY.fullmatch(text)
    return found[1] if found else None


def is_secret_of(text: str, digest: bytes) -> bool:
    """Whether a text is the one that was hashed; takes as long for every wrong one."""
    return hmac.compare_digest(hash_text(text), digest)


def hash_text(text: str) -> bytes:
    """Return what is kept of a secret text."""
    return hashlib.sha256(text.encode()).digest()


def find_wrong_grant(scopes: Iterable[Scope], streams: Iterable[str] | None) -> str | None:
    """Say what is wrong with what a new key shall allow; None when nothing is."""
    if not set(scopes):
        return "scopes: name at least one of " + ", ".join(Scope) + "."
    if streams is None:
        return None
    if Scope.ADMIN in scopes:
        return "streams: an admin key reaches every stream. Leave streams out."
    patterns = tuple(streams)
    if not 0 < len(patterns) <= STREAMS_MAX:
        return f"streams: name 1 to {STREAMS_MAX} patterns, or leave it out for all streams."
    wrong = next((name for name in patterns if not re.fullmatch(STREAM_PATTERN, name)), None)
    if wrong is not None:
        return f"streams: {wrong!r} is neither a stream's name nor one with * in it."
    return None
