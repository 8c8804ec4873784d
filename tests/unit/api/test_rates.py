"""Rates: what the count in Redis means to a caller."""

import pytest

from api.keys.rates import USUAL_PER_MINUTE, choose_limit, read_allowance
from tests.fixtures.settings import make_settings

SECOND_US = 1_000_000


@pytest.mark.parametrize(
    ("limit", "full_in_us", "remaining", "full_in_s"),
    [
        (60, SECOND_US, 59, 1),
        (60, 60 * SECOND_US, 0, 60),
        (60, 1, 59, 1),
        (6000, 10_000, 5999, 1),
        (1, 60 * SECOND_US, 0, 60),
    ],
)
def test_an_allowed_request_leaves_a_rest(limit, full_in_us, remaining, full_in_s):
    allowance = read_allowance(limit, is_allowed=True, full_in_us=full_in_us)
    assert (allowance.remaining, allowance.full_in_s) == (remaining, full_in_s)


@pytest.mark.parametrize(
    ("limit", "full_in_us", "retry_after_s"),
    [
        (60, 60 * SECOND_US, 1),
        (1, 60 * SECOND_US, 60),
        (1, 30 * SECOND_US, 30),
        (6000, 60 * SECOND_US, 1),
    ],
)
def test_a_refused_request_is_told_when_to_come_again(limit, full_in_us, retry_after_s):
    allowance = read_allowance(limit, is_allowed=False, full_in_us=full_in_us)
    assert (allowance.remaining, allowance.retry_after_s) == (0, retry_after_s)


def test_the_headers_tell_policy_and_rest():
    headers = read_allowance(60, is_allowed=True, full_in_us=3 * SECOND_US).to_headers()
    assert headers == {
        "RateLimit-Policy": '"default";q=60;w=60',
        "RateLimit": '"default";r=57;t=3',
    }


@pytest.mark.parametrize(
    ("host", "given", "limit"),
    [
        ("127.0.0.1", None, 0),
        ("192.168.1.7", None, USUAL_PER_MINUTE),
        ("127.0.0.1", 10, 10),
        ("192.168.1.7", 0, 0),
        ("192.168.1.7", "", USUAL_PER_MINUTE),
    ],
)
def test_there_is_a_limit_beyond_this_machine_unless_said_otherwise(host, given, limit):
    assert choose_limit(make_settings(api_host=host, rate_limit_per_minute=given)) == limit
