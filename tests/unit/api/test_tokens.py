"""Tokens: a good one of each algorithm is taken, and everything that is not quite one is not."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from joserfc.jwk import KeySet

from api.keys.tokens import (
    BYTES_MAX,
    LEEWAY,
    LIFETIME_MAX,
    Expected,
    find_key_id,
    import_keys,
    is_worth_asking,
    looks_like_token,
    prove,
)
from core.errors import UnauthorizedError
from tests.fixtures.oidc import AnyKey, EcKey, EdKey, Provider, RsaKey, encode, write_token

PROVIDER = Provider("https://id.example", {"first": EcKey(), "rsa": RsaKey(), "ed": EdKey()})
EXPECTED = Expected(PROVIDER.issuer, "telemetra")


def published(*names: str) -> KeySet:
    document = PROVIDER.answer("/keys") or {}
    return import_keys([key for key in document["keys"] if not names or key["kid"] in names])


KEYS = published()


def now() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251 (the provider's clock)


def check(text: str, keys: KeySet = KEYS) -> str:
    find_key_id(text)
    return str(prove(text, keys, EXPECTED, now()).claims["sub"])


def refuse(text: str) -> None:
    with pytest.raises(UnauthorizedError):
        check(text)


@pytest.mark.parametrize("key_id", ["first", "rsa", "ed"])
def test_a_good_token_tells_who_it_is(key_id: str):
    assert check(PROVIDER.make_token(key_id=key_id)) == "ana"


def test_the_later_name_of_an_algorithm_is_known():
    claims = {"iss": EXPECTED.issuer, "aud": "telemetra", "sub": "ana", "exp": time.time() + 9}  # noqa: TID251
    key = PROVIDER.keys["ed"]
    unnamed = import_keys([{**key.publish(), "kid": "ed"}])
    assert check(write_token(key, {"alg": "Ed25519", "kid": "ed"}, claims), unnamed) == "ana"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://id.example/"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": None},
        {"exp": None},
        {"exp": "soon"},
        {"exp": True},
        {"exp": 1e300},
        {"nbf": "now"},
        {"nbf": 1e12},
    ],
)
def test_a_token_for_somebody_else_or_another_time_is_refused(claims: dict[str, Any]):
    refuse(PROVIDER.make_token(**claims))


def test_one_audience_of_several_is_enough():
    assert check(PROVIDER.make_token(aud=["another", "telemetra"])) == "ana"


def test_clocks_may_differ_a_little_and_no_more():
    leeway = LEEWAY.total_seconds()
    at = time.time()  # noqa: TID251 (the provider's clock)
    assert check(PROVIDER.make_token(good_for_s=1 - leeway, nbf=at + leeway - 1))
    refuse(PROVIDER.make_token(good_for_s=-leeway - 1))
    refuse(PROVIDER.make_token(nbf=at + leeway + 5))


def test_what_nothing_would_end_for_days_is_refused():
    refuse(PROVIDER.make_token(good_for_s=LIFETIME_MAX.total_seconds() + 60))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_token_that_was_changed_is_refused(place: int):
    parts = PROVIDER.make_token().split(".")
    middle = len(parts[place]) // 2
    other = "A" if parts[place][middle] != "A" else "B"
    parts[place] = parts[place][:middle] + other + parts[place][middle + 1 :]
    with pytest.raises(UnauthorizedError):
        check(".".join(parts))


def sign_by_name(algorithm: str, key: AnyKey, **header: Any) -> str:
    claims = {"iss": EXPECTED.issuer, "aud": "telemetra", "sub": "ana", "exp": time.time() + 9}  # noqa: TID251
    return write_token(key, {"alg": algorithm, "kid": "first", **header}, claims)


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS512", "PS256", "", "ES384"])
def test_other_algorithms_are_refused_before_any_key_is_looked_for(algorithm: str):
    with pytest.raises(UnauthorizedError):
        find_key_id(sign_by_name(algorithm, PROVIDER.keys["first"]))


def test_a_token_without_a_signature_is_refused():
    head, claims, _ = sign_by_name("none", PROVIDER.keys["first"]).split(".")
    refuse(f"{head}.{claims}.")


def test_a_key_proves_only_its_own_algorithm():
    refuse(sign_by_name("RS256", PROVIDER.keys["rsa"]))
    refuse(sign_by_name("ES256", PROVIDER.keys["rsa"], kid="rsa"))


def test_the_signature_of_another_key_is_refused():
    refuse(sign_by_name("ES256", EcKey()))


@pytest.mark.parametrize("header", [{"crit": ["exp"]}, {"crit": ["b64"], "b64": True}])
def test_a_head_that_must_be_understood_is_refused(header: dict[str, Any]):
    refuse(sign_by_name("ES256", PROVIDER.keys["first"], **header))


def test_a_head_with_words_of_the_provider_is_taken():
    assert check(sign_by_name("ES256", PROVIDER.keys["first"], tenant="north")) == "ana"


def test_a_key_that_a_token_brings_along_is_not_used():
    stranger = EcKey()
    refuse(sign_by_name("ES256", stranger, jwk=stranger.publish()))


def test_a_token_without_a_key_id_needs_a_provider_with_one_key():
    claims = {"iss": EXPECTED.issuer, "aud": "telemetra", "sub": "ana", "exp": time.time() + 9}  # noqa: TID251
    text = write_token(PROVIDER.keys["first"], {"alg": "ES256"}, claims)
    assert find_key_id(text) is None
    assert check(text, published("first")) == "ana"
    with pytest.raises(UnauthorizedError):
        check(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a.b.c",
        "eyJ.eyJ.x",
        "e30.e30.x",
        f"{encode(b'[]')}.e30.x",
        f"{encode(b'{')}.e30.x",
        "é.é.é",
        "a" * BYTES_MAX + ".b.c",
    ],
)
def test_garbage_is_refused_without_a_look_at_any_key(text: str):
    with pytest.raises(UnauthorizedError):
        find_key_id(text)


@pytest.mark.parametrize("claims", [[], "text", 7, None])
def test_claims_that_are_no_object_are_refused(claims: Any):
    refuse(write_token(PROVIDER.keys["first"], {"alg": "ES256", "kid": "first"}, claims))


def test_only_what_says_the_right_things_is_worth_a_question():
    assert is_worth_asking(PROVIDER.make_token(), EXPECTED, now())
    assert not is_worth_asking(PROVIDER.make_token(iss="https://else"), EXPECTED, now())
    assert not is_worth_asking(PROVIDER.make_token(good_for_s=-60), EXPECTED, now())


def test_keys_that_must_not_prove_anything_are_left_out():
    secret = {"kty": "oct", "k": encode(b"x" * 32), "kid": "secret"}
    short = {**RsaKey(1024).publish(), "kid": "short"}
    locks = {**EcKey().publish(), "kid": "locks", "use": "enc"}
    broken = {"kty": "EC", "kid": "broken"}
    good = {**EcKey().publish(), "kid": "good"}
    keys = import_keys([secret, short, locks, broken, 7, good])
    assert [key.kid for key in keys] == ["good"]
    nothing: list[Any] = [[secret], [], {}, None]
    for none in nothing:
        with pytest.raises(ValueError, match="key"):
            import_keys(none)


def test_a_key_of_ours_does_not_look_like_a_token():
    assert looks_like_token(PROVIDER.make_token())
    assert not looks_like_token("tk_0123456789ab_" + "x" * 43)
