"""Spans as command lines name them."""

from datetime import UTC, datetime, timedelta

import pytest

from core.errors import InvalidError
from infra.cli.spans import read_ago, read_ahead
from tests.fixtures.clocks import START


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        (" 2h ", timedelta(hours=2)),
        ("9999d", timedelta(days=9999)),
    ],
)
def test_a_span_lies_before_or_after_now(text: str, span: timedelta):
    assert read_ago(text, START) == START - span
    assert read_ahead(text, START) == START + span


def test_a_time_is_that_time():
    assert read_ago("2026-01-26T09:00Z", START) == datetime(2026, 1, 26, 9, tzinfo=UTC)
    assert read_ahead("2026-01-27", START) == datetime(2026, 1, 27, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "2 hours", "-2h", "soon", "99999d"])
def test_anything_else_is_refused(text: str):
    with pytest.raises(InvalidError, match="neither a span"):
        read_ago(text, START)
