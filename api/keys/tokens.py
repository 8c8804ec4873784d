"""Tokens: whether a text is a token that a provider made for us, and what it claims.

    size ─► shape ─► algorithm ─► key ─► signature ─► issuer, audience, time ─► claims

Everything before the key costs no look-up, so that garbage ends there. Which algorithm is used is
chosen by us: none needs a secret that we share with the provider, and none is "none".
"""

import copy
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import orjson
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, KeySet
from joserfc.jws import JWSRegistry, extract_compact

from core.errors import UnauthorizedError

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA", "Ed25519")
"""``Ed25519`` is the later name of what most providers call ``EdDSA``."""

KEY_TYPES: Final = frozenset({"RSA", "EC", "OKP"})
"""Those with a public half; the bytes of a secret, published by mistake, would prove anything."""

KEYS_MAX: Final = 100
"""Of a provider; those that are in use and those that come next are a handful."""

MODULUS_LENGTH_MIN: Final = 342
"""Characters of an RSA modulus of 2048 bits; shorter ones can be taken apart."""

BYTES_MAX: Final = 8192
"""Of a token: servers take no longer headers, and a person in many groups has shorter ones."""

LEEWAY: Final = timedelta(seconds=10)
"""How far the provider's clock may be from ours."""

LIFETIME_MAX: Final = timedelta(hours=24)
"""Nothing ends a token before its time: one that is good for longer is not for us."""

_SHAPE: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+", re.ASCII)
BAD: Final = "The token is not good. Sign in again."


class Registry(JWSRegistry):
    """The algorithms that are taken, and no others by any name."""

    def __init__(self) -> None:
        # Heads may have words of the provider's own; ``crit``, which must be understood, is
        # refused elsewhere.
        super().__init__(algorithms=ALGORITHMS, strict_check_header=False)
        known = JWSRegistry.algorithms
        self.algorithms = {name: known[name] for name in ALGORITHMS if name != "EdDSA"}
        # By its old name too, and also then on this curve only.
        self.algorithms["EdDSA"] = copy.copy(known["Ed25519"])
        self.algorithms["EdDSA"].name = "EdDSA"


_REGISTRY: Final = Registry()


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say of itself."""

    issuer: str
    audience: str


@dataclass(frozen=True, slots=True)
class Proved:
    """What a good token says."""

    claims: Mapping[str, Any]
    expires_at: datetime
    """The leeway is in it."""


def import_keys(found: Any) -> KeySet:  # noqa: ANN401 (JSON)
    """Return the keys of a provider that can prove signatures; others are left out.

    Raises:
        ValueError: There is none.
    """
    if not isinstance(found, list):
        raise ValueError("keys is no list")  # noqa: TRY004 (what was sent, not what was called)
    keys: list[Key] = []
    for item in found[:KEYS_MAX]:
        if isinstance(item, dict) and _is_usable(item):
            try:
                keys.append(JWKRegistry.import_key(item))
            except (JoseError, ValueError, TypeError):
                # One that cannot be read must not take the others with it.
                continue
    if not keys:
        raise ValueError("no key can be used")
    return KeySet(keys)


def _is_usable(item: Mapping[str, Any]) -> bool:
    if item.get("kty") not in KEY_TYPES or item.get("use", "sig") != "sig":
        return False
    return item["kty"] != "RSA" or len(str(item.get("n", ""))) >= MODULUS_LENGTH_MIN


def looks_like_token(text: str) -> bool:
    """Whether a text could be a token; keys have no dots."""
    return text.count(".") == 2 and text.startswith("eyJ")


def find_key_id(text: str) -> str | None:
    """Return the id of the key that signed a token, as its head says, unproved.

    Raises:
        UnauthorizedError: It is no token, or signed in a way that is not taken.
    """
    if len(text) > BYTES_MAX or not _SHAPE.fullmatch(text):
        raise UnauthorizedError(BAD)
    try:
        header = extract_compact(text.encode()).headers()
    except (JoseError, ValueError) as error:
        raise UnauthorizedError(BAD) from error
    if not isinstance(header, dict) or header.get("alg") not in ALGORITHMS or "crit" in header:
        raise UnauthorizedError(BAD)
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise UnauthorizedError(BAD)
    return key_id


def is_worth_asking(text: str, expected: Expected, now: datetime) -> bool:
    """Whether a token whose key is unknown says, unproved, what a good one would."""
    try:
        claims = orjson.loads(extract_compact(text.encode()).payload or b"")
        _check_claims(claims, expected, now)
    except (JoseError, ValueError, UnauthorizedError):
        return False
    return True


def prove(text: str, keys: KeySet, expected: Expected, now: datetime) -> Proved:
    """Return what a token claims.

    Raises:
        UnauthorizedError: No key of these signed it, it is for somebody else, or not of this time.
    """
    try:
        claims = jwt.decode(text, keys, registry=_REGISTRY).claims
    except (JoseError, ValueError) as error:
        raise UnauthorizedError(BAD) from error
    return Proved(claims, _check_claims(claims, expected, now))


def _check_claims(claims: Any, expected: Expected, now: datetime) -> datetime:  # noqa: ANN401 (JSON)
    """Return when claims end that are for us and of now.

    Raises:
        UnauthorizedError: They are not.
    """
    if not isinstance(claims, dict):
        raise UnauthorizedError(BAD)
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != expected.issuer or expected.audience not in audiences:
        raise UnauthorizedError(BAD)
    expires_at = _read_time(claims.get("exp"))
    begins_at = _read_time(claims["nbf"]) if "nbf" in claims else now
    if begins_at - LEEWAY > now or expires_at + LEEWAY <= now:
        raise UnauthorizedError("The token's time is over, or has not come. Sign in again.")
    if expires_at - now > LIFETIME_MAX:
        raise UnauthorizedError("The token is good for more than a day; such tokens are not taken.")
    return expires_at + LEEWAY


def _read_time(given: object) -> datetime:
    """Return a time of a claim.

    Raises:
        UnauthorizedError: It is none.
    """
    if isinstance(given, bool) or not isinstance(given, int | float):
        raise UnauthorizedError(BAD)
    try:
        return datetime.fromtimestamp(given, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UnauthorizedError(BAD) from error
