"""People: a token's words become scopes, and words that mean nothing allow nothing."""

from typing import Any

import pytest

from core.errors import UnauthorizedError
from core.keys import Caller, Scope
from core.people import PeoplePolicy, read_grants, read_person, read_scopes
from tests.fixtures.clocks import START

NAMED = PeoplePolicy()


def read(claims: dict[str, Any], policy: PeoplePolicy = NAMED) -> Caller:
    return read_person({"sub": "ana", **claims}, policy, expires_at=START)


def test_a_person_is_known_by_the_subject():
    caller = read({"scope": "openid read ingest"})
    assert caller == Caller(
        "ana",
        frozenset({Scope.READ, Scope.INGEST}),
        key_id="person:ana",
        streams=None,
        expires_at=START,
    )


@pytest.mark.parametrize("claims", [{}, {"scope": ""}, {"scope": "openid READ"}, {"scope": 7}])
def test_words_that_mean_nothing_allow_nothing(claims: dict[str, Any]):
    assert read_scopes(claims, NAMED) == frozenset()


def test_words_may_be_a_list_and_lie_deeper():
    policy = PeoplePolicy(claim="realm_access.roles")
    assert read_scopes({"realm_access": {"roles": ["read", 7]}}, policy) == {Scope.READ}
    assert read_scopes({"realm_access.roles": ["read"]}, policy) == {Scope.READ}
    assert read_scopes({"realm_access": "read"}, policy) == frozenset()


def test_with_grants_a_word_allows_what_they_say_and_no_more():
    policy = PeoplePolicy("groups", read_grants("admins=admin, cn=ops=operate+read"))
    claims = {"groups": ["cn=ops", "read", "ingest"]}
    assert read_scopes(claims, policy) == {Scope.OPERATE, Scope.READ}
    assert read_scopes({"groups": ["admins"]}, policy) == {Scope.ADMIN}


@pytest.mark.parametrize(
    "text", ["admins", "=read", "ops=", "ops=write", "ops=read+", "ops=read +"]
)
def test_grants_that_cannot_be_are_refused(text: str):
    with pytest.raises(ValueError, match=r"is not|is none"):
        read_grants(text)


def test_where_streams_are_told_who_is_told_of_none_reaches_none():
    policy = PeoplePolicy(streams_claim="streams")
    assert read({"scope": "read", "streams": ["north*"]}, policy).streams == ("north*",)
    nowhere = read({"scope": "read"}, policy)
    assert nowhere.streams == ()
    assert not nowhere.allows_stream("north")
    assert read({"scope": "admin"}, policy).streams is None


@pytest.mark.parametrize("streams", [["a b"], ["x"] * 51])
def test_streams_that_cannot_be_let_nobody_in(streams: list[str]):
    with pytest.raises(UnauthorizedError):
        read({"scope": "read", "streams": streams}, PeoplePolicy(streams_claim="streams"))


@pytest.mark.parametrize("subject", [None, "", 7, "x" * 256, "ana\n"])
def test_who_has_no_name_is_nobody(subject: object):
    with pytest.raises(UnauthorizedError):
        read({"sub": subject, "scope": "read"})
