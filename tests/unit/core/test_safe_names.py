"""Safe names: readable, allowed everywhere, and never shared by two."""

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.ids import NAME_PATTERN
from core.safe_names import make_channel, make_stream_id

texts = st.text(max_size=40) | st.text("ab.:=~_/2F", max_size=6)
series = st.tuples(texts.filter(bool), st.dictionaries(texts, texts, max_size=4))


@pytest.mark.parametrize(
    ("name", "labels", "channel"),
    [
        ("up", {}, "up"),
        ("up", {"job": "shop", "dc": "b-1"}, "up:dc=b-1:job=shop"),
        ("job:rate5m", {"le": "+Inf"}, "job:rate5m:le=+Inf"),
        ("cpu.idle", {"url.path": "/a b"}, "cpu.idle:url.path=~2Fa~20b"),
        ("a=b", {"c=d": "e=f", "g:h": "i:j"}, "a~3Db:c~3Dd=e=f:g~3Ah=i~3Aj"),
        ("\N{DEGREE SIGN}C", {"k": "~"}, "~C2~B0C:k=~7E"),
        ("up", {"": ""}, "up:="),
    ],
)
def test_a_series_is_called_what_it_says(name: str, labels: dict[str, str], channel: str):
    assert make_channel(name, labels.items()) == channel


def test_a_name_that_is_too_long_is_cut_and_says_so_by_a_lasting_hash():
    # Stored under this name: another hash would be another channel.
    assert make_channel("m" * 300 + ".f", []) == f"{'m' * 110}~~355C5506B3BA6C39"
    assert make_channel("m" * 128, []) == "m" * 128


@given(one=series, other=series)
@example(("a:b", {}), ("a", {"b": ""}))
@example(("a:b=c", {}), ("a", {"b": "c"}))
@example(("a", {"b": "c:d=e"}), ("a", {"b": "c", "d": "e"}))
@example(("a" * 110 + "~~" + "0" * 16, {}), ("a" * 200, {}))
def test_different_series_have_different_channels_that_can_stand_everywhere(one, other):
    channels = [make_channel(name, labels.items()) for name, labels in (one, other)]
    assert all(re.fullmatch(NAME_PATTERN, channel) for channel in channels)
    assert (channels[0] == channels[1]) == (one == other)


@given(texts.filter(bool), texts.filter(bool))
def test_different_streams_stay_apart_and_can_stand_everywhere(one: str, other: str):
    ids = make_stream_id(one), make_stream_id(other)
    assert all(re.fullmatch(NAME_PATTERN, stream_id) for stream_id in ids)
    assert (ids[0] == ids[1]) == (one == other)


@pytest.mark.parametrize(
    ("name", "stream_id"),
    [("10.0.0.1:9100", "10.0.0.1:9100"), ("a b/c~", "a~20b~2Fc~7E"), ("k=v", "k=v")],
)
def test_a_stream_is_called_what_it_says(name: str, stream_id: str):
    assert make_stream_id(name) == stream_id
