"""API keys: random, kept as a hash, and good for what they say."""

from datetime import timedelta

import pytest

from core.clock import ManualClock
from core.keys import (
    EVERYONE,
    STREAMS_MAX,
    ApiKey,
    Caller,
    Scope,
    Secret,
    find_prefix,
    find_wrong_grant,
    is_secret_of,
    make_key_id,
    make_secret,
)
from tests.fixtures.settings import make_settings

GARBAGE = [
    "",
    "tk_",
    "tk__",
    "tk_0123456789ab_",
    "tk_0123456789ab_" + "a" * 42,
    "tk_0123456789ab_" + "a" * 44,
    "tk_0123456789ab_" + "a" * 42 + "é",
    "tk_0123456789ab_" + "a" * 42 + "\n",
    "tk_0123456789AB_" + "a" * 43,
    "tk_0123456789a_" + "a" * 43,
    " tk_0123456789ab_" + "a" * 43,
    "kt_0123456789ab_" + "a" * 43,
    "tk_" * 10_000,
    "\0",
]


def test_a_secret_has_256_random_bits_and_no_two_are_alike():
    made = [make_secret() for _ in range(100)]
    assert len({secret.text for secret in made}) == 100
    assert len({secret.prefix for secret in made}) == 100
    for secret in made:
        # 43 characters of six bits carry 256 of them.
        assert len(secret.text.removeprefix(f"tk_{secret.prefix}_")) == 43
        assert find_prefix(secret.text) == secret.prefix


def test_only_its_own_text_belongs_to_a_digest():
    secret, other = make_secret(), make_secret()
    assert is_secret_of(secret.text, secret.digest)
    assert not is_secret_of(other.text, secret.digest)
    assert not is_secret_of(secret.text[:-1], secret.digest)
    assert not is_secret_of("", secret.digest)
    assert len(secret.digest) == 32
    assert secret.text.encode() not in secret.digest


@pytest.mark.parametrize("text", GARBAGE, ids=lambda text: repr(text[:20]))
def test_garbage_has_no_prefix(text: str):
    assert find_prefix(text) is None


def test_a_secret_does_not_show_when_it_is_printed():
    secret = make_secret()
    assert secret.text not in repr(secret)
    assert repr(secret) == f"Secret(prefix={secret.prefix!r})"
    assert "tk_" not in repr(make_settings(api_key=secret.text))


def test_an_admin_may_do_everything_and_others_what_they_have():
    admin = Caller("a", frozenset({Scope.ADMIN}))
    assert all(admin.allows(scope) for scope in Scope)
    assert all(EVERYONE.allows(scope) for scope in Scope)
    for scope in set(Scope) - {Scope.ADMIN}:
        caller = Caller("b", frozenset({scope}))
        assert [other for other in Scope if caller.allows(other)] == [scope]


@pytest.mark.parametrize(
    ("patterns", "reached", "not_reached"),
    [
        (None, ["a", "b*c", ""], []),
        (("north",), ["north"], ["northlight", "anorth", "North", ""]),
        (("north*",), ["north", "northlight"], ["a_north", "nort"]),
        (("*_live",), ["a_live", "_live"], ["a_liver", "live"]),
        (("a*b*c",), ["abc", "a1b2c"], ["acb", "ab"]),
        (("a", "b*"), ["a", "b", "bb"], ["c", "ab"]),
        (("*",), ["a", "*"], []),
        (("a.c",), ["a.c"], ["abc"]),
        (("a+",), ["a+"], ["aa", "a"]),
    ],
)
def test_streams_are_reached_by_pattern(
    patterns: tuple[str, ...] | None, reached: list[str], not_reached: list[str]
):
    caller = Caller("a", frozenset({Scope.READ}), streams=patterns)
    assert [name for name in reached if not caller.allows_stream(name)] == []
    assert [name for name in not_reached if caller.allows_stream(name)] == []


def test_a_pattern_of_many_stars_is_tried_quickly():
    caller = Caller("a", frozenset(), streams=("a*" * 60 + "b",))
    assert not caller.allows_stream("a" * 128)


def test_a_key_is_good_until_its_time_has_come(clock: ManualClock):
    now = clock.now()
    key = ApiKey(EVERYONE, b"", now + timedelta(seconds=1))
    assert key.is_good(now)
    assert not key.is_good(now + timedelta(seconds=1))
    assert ApiKey(EVERYONE, b"", None).is_good(now + timedelta(days=36_500))


@pytest.mark.parametrize(
    ("scopes", "streams", "word"),
    [
        ([], None, "scopes"),
        (["admin"], ["a"], "admin"),
        (["read"], [], "patterns"),
        (["read"], ["a"] * (STREAMS_MAX + 1), "patterns"),
        (["read"], ["a b"], "'a b'"),
        (["read"], [""], "''"),
        (["read"], ["a[b]"], "[b]"),
        (["read"], ["a?"], "'a?'"),
        (["read"], ["ok", "x" * 129], "xxx"),
    ],
)
def test_a_grant_that_makes_no_sense_is_named(
    scopes: list[str], streams: list[str] | None, word: str
):
    wrong = find_wrong_grant([Scope(scope) for scope in scopes], streams)
    assert wrong is not None
    assert word in wrong


def test_a_grant_that_makes_sense_has_nothing_wrong():
    assert find_wrong_grant([Scope.READ, Scope.INGEST], ["north*", "a.b:c"]) is None
    assert find_wrong_grant([Scope.ADMIN], None) is None


def test_ids_of_keys_differ():
    assert len({make_key_id() for _ in range(100)}) == 100
    assert isinstance(make_secret(), Secret)
