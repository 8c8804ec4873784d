"""People: what the claims of a token of an OpenID provider allow.

    {"sub": "ana", "groups": ["ops"], …} ──GRANTS──► Caller ana: operate, read

Words that mean nothing here are passed over, as a token has them for others too: who is known and
has none that counts may do nothing. Whether the claims are true, ``api.keys.tokens`` finds out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.errors import UnauthorizedError
from core.keys import STREAMS_MAX, Caller, Scope, find_wrong_grant

SUBJECT_LENGTH_MAX: Final = 255
"""What the protocol allows."""

WORDS_MAX: Final = 1000
"""Of one claim: a person is in no more groups."""


@dataclass(frozen=True, slots=True)
class PeoplePolicy:
    """How claims are read."""

    claim: str = "scope"
    """Where the words are; dots lead into objects, as in ``realm_access.roles``."""

    grants: Mapping[str, frozenset[Scope]] = field(default_factory=dict)
    """Which word allows what; empty: a scope's own name does."""

    streams_claim: str | None = None
    """Where patterns of streams are; None: everybody reaches all."""


def read_person(claims: Mapping[str, Any], policy: PeoplePolicy, *, expires_at: datetime) -> Caller:
    """Return the caller that claims describe.

    Raises:
        UnauthorizedError: They name nobody, or streams that cannot be.
    """
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= SUBJECT_LENGTH_MAX:
        raise UnauthorizedError("The token names nobody: sub is missing or too long.")
    if not subject.isprintable():
        raise UnauthorizedError("The token names nobody: sub is not printable.")
    scopes = read_scopes(claims, policy)
    return Caller(
        name=subject,
        scopes=scopes,
        key_id=f"person:{subject}",
        streams=_read_streams(claims, policy, scopes),
        expires_at=expires_at,
    )


def read_scopes(claims: Mapping[str, Any], policy: PeoplePolicy) -> frozenset[Scope]:
    """Return what the words of a claim allow."""
    words = _find_words(claims, policy.claim)
    if policy.grants:
        return frozenset(scope for word in words for scope in policy.grants.get(word, ()))
    return frozenset(Scope(word) for word in words if word in set(Scope))


def read_grants(text: str) -> dict[str, frozenset[Scope]]:
    """Return the grants of a setting: ``admins=admin,ops=operate+read``.

    Raises:
        ValueError: A part is no grant.
    """
    grants: dict[str, frozenset[Scope]] = {}
    for part in filter(None, map(str.strip, text.split(","))):
        word, sign, names = part.rpartition("=")
        if not sign or not word:
            raise ValueError(f"{part!r} is not word=scope")
        wrong = [name for name in names.split("+") if name not in set(Scope)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is none of {', '.join(Scope)}")
        grants[word] = frozenset(map(Scope, names.split("+")))
    return grants


def _read_streams(
    claims: Mapping[str, Any], policy: PeoplePolicy, scopes: frozenset[Scope]
) -> tuple[str, ...] | None:
    if policy.streams_claim is None or Scope.ADMIN in scopes or not scopes:
        return None
    # Who is told of no streams where streams are told reaches none.
    patterns = tuple(_find_words(claims, policy.streams_claim))
    if not patterns:
        return ()
    if len(patterns) > STREAMS_MAX or find_wrong_grant(scopes, patterns) is not None:
        raise UnauthorizedError(f"The token's {policy.streams_claim} is no list of streams.")
    return patterns


def _find_words(claims: Mapping[str, Any], path: str) -> list[str]:
    """Return the words of a claim, which is a list of them or one text with blanks between."""
    found: Any = claims.get(path)
    if found is None:
        found = claims
        for name in path.split("."):
            found = found.get(name) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = found.split()
    if not isinstance(found, list):
        return []
    return [word for word in found[:WORDS_MAX] if isinstance(word, str)]
