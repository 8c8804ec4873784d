"""Names of series: readable, allowed everywhere, and never shared by two."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import NAME_PATTERN
from core.labels import name_channel, name_stream

CHOSEN = ("stream_id", "instance", "job")

texts = st.text(max_size=40) | st.sampled_from(["a", "b", "a=b", "a~b", "~", "=", "_", "/", "?"])
series = st.tuples(texts.filter(bool), st.dictionaries(texts, texts, max_size=4))


@pytest.mark.parametrize(
    ("name", "labels", "channel"),
    [
        ("up", {}, "up"),
        ("up", {"job": "shop", "dc": "b-1"}, "up~dc=b-1~job=shop"),
        ("job:rate5m", {"le": "+Inf"}, "job:rate5m~le=+Inf"),
    ],
)
def test_a_plain_series_is_called_what_it_says(name: str, labels: dict[str, str], channel: str):
    assert name_channel(name, labels.items()) == channel


@pytest.mark.parametrize(
    ("name", "labels", "beginning"),
    [
        ("up", {"path": "/a b"}, "up~path=_a_b~"),
        ("up", {"path": "ä"}, "up~path=_~"),
        ("up", {"path": "a~b=c"}, "up~path=a~b=c~"),
        ("up", {"a" * 200: "b"}, "up~aaa"),
    ],
)
def test_what_cannot_stand_in_a_name_is_told_apart_by_a_digest(
    name: str, labels: dict[str, str], beginning: str
):
    channel = name_channel(name, labels.items())
    assert channel.startswith(beginning)
    assert re.fullmatch(".*~[0-9a-f]{10}", channel)
    assert name_channel(name, labels.items()) == channel


@given(one=series, other=series)
def test_different_series_have_different_channels_that_can_stand_everywhere(one, other):
    channels = [name_channel(name, labels.items()) for name, labels in (one, other)]
    assert all(re.fullmatch(NAME_PATTERN, channel) for channel in channels)
    assert (channels[0] == channels[1]) == (one == other)


@given(texts.filter(bool))
def test_a_stream_can_stand_everywhere(value: str):
    stream_id, label = name_stream({"job": value}, CHOSEN, "other")
    assert re.fullmatch(NAME_PATTERN, stream_id)
    assert label == "job"


@pytest.mark.parametrize(
    ("labels", "stream"),
    [
        ({"job": "shop", "instance": "a:1", "stream_id": "s"}, ("s", "stream_id")),
        ({"job": "shop", "instance": "a:1", "stream_id": ""}, ("a:1", "instance")),
        ({"job": "a~b=c"}, ("a~b=c", "job")),
        ({}, ("other", None)),
    ],
)
def test_the_first_label_that_is_there_names_the_stream(labels, stream):
    assert name_stream(labels, CHOSEN, "other") == stream
