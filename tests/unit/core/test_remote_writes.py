"""Remote writes: what Prometheus means, whatever is sent."""

import struct
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import cramjam
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core import remote_writes
from core.errors import BadRequestError, TooLargeError
from core.events import RejectedRow, TimePolicy, check_events
from core.labels import KNOWN_BYTES_MAX, LABEL_BYTES_MAX
from core.remote_writes import (
    BODY_BYTES_MAX,
    NAMES,
    SeriesPolicy,
    read_samples,
    read_write_request,
    unpack,
)
from tests.fixtures.remote_writes import SAMPLE, fill_request, pack, write_request

POLICY = SeriesPolicy()
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
UP = {"__name__": "up", "instance": "a:9090", "job": "shop"}
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]

values = st.floats() | st.sampled_from([0.0, -0.0, 1.0])
times = st.integers(-(2**63), 2**63 - 1) | st.sampled_from([0, NOW_MS])


def read(*series: Any, policy: SeriesPolicy = POLICY) -> list[dict[str, Any]]:
    return read_write_request(write_request(*series), policy).readings.to_dicts()


def test_a_sample_becomes_a_reading():
    first, second = read((UP, [(1.5, NOW_MS), (0.0, NOW_MS + 15_000)]))
    assert first.pop("id") != second.pop("id")
    assert first == {
        "stream_id": "a:9090",
        "channel": "up:job=shop",
        "index": 0,
        "type": "reading",
        "value": 1.5,
        "timestamp": NOW,
    }
    assert second == first | {
        "index": 1,
        "value": 0.0,
        "timestamp": NOW + timedelta(seconds=15),
    }


def test_a_sample_has_the_same_id_in_every_request_and_no_other_has_it():
    other = UP | {"job": "bakery"}
    again = read((other, [(1, NOW_MS)]), (UP, [(1, NOW_MS), (2, NOW_MS + 1)]))
    ids = [row["id"] for row in again]
    assert read((UP, [(1, NOW_MS)]))[0]["id"] == ids[1]
    assert len(set(ids)) == 3


def test_labels_that_are_left_out_still_tell_samples_apart():
    policy = SeriesPolicy(stream_labels=("job",), stream="rest", left_out=frozenset({"instance"}))
    rows = read((UP, [(1, NOW_MS)]), (UP | {"instance": "b"}, [(2, NOW_MS)]), policy=policy)
    assert [(row["stream_id"], row["channel"]) for row in rows] == [("shop", "up")] * 2
    assert rows[0]["id"] != rows[1]["id"]
    assert read(({"__name__": "x"}, [(1, NOW_MS)]), policy=policy)[0]["stream_id"] == "rest"


def test_what_says_that_there_is_no_value_is_counted_and_left_out():
    body = write_request((UP, [(1, NOW_MS), (STALE, NOW_MS), (float("nan"), NOW_MS), (2, NOW_MS)]))
    samples = read_write_request(body, POLICY)
    assert (samples.stale, samples.empty, samples.refused) == (1, 1, [])
    assert samples.readings["index"].to_list() == [0, 3]


def test_infinity_is_left_to_the_rules_of_events():
    rows = read((UP, [(float("inf"), NOW_MS), (1, NOW_MS)]))
    samples = read_write_request(write_request((UP, [(float("inf"), NOW_MS)])), POLICY)
    good, bad = check_events(samples.readings, now=NOW, policy=TimePolicy())
    assert (len(rows), len(good), len(bad)) == (2, 0, 1)


def test_times_that_do_not_fit_are_refused_and_do_not_come_round_to_others():
    body = write_request((UP, [(1, t) for t in (2**63 - 1, -(2**63), 2**61 + NOW_MS, 0)]))
    raw = read_write_request(body, POLICY).readings
    good, bad = check_events(raw, now=NOW, policy=TimePolicy())
    assert (len(good), [row.index for row in bad]) == (0, [0, 1, 2, 3])


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ([b"\x0a\x05abc"], "damaged"),
        ([b"\x0a\x01\xff"], "not UTF-8"),
        ([b"\x0a\x01a\x12\x01b"] * 2, "named twice"),
        ([b""] * 8193, f"more than {LABEL_BYTES_MAX} bytes"),
        ([b"\x0a\x01a\x12" + b"\xff\x7f" + b"x" * 16383], f"more than {LABEL_BYTES_MAX} bytes"),
    ],
)
def test_a_series_with_bad_labels_is_refused_and_the_others_are_read(labels, reason):
    request = remote_writes._WRITE_REQUEST()
    request.series.add(labels=labels, samples=[b"\x10\x01", b"\x10\x02"])
    body = request.SerializeToString() + write_request((UP, [(1, NOW_MS)]))
    samples = read_write_request(body, POLICY)
    assert [row.index for row in samples.refused] == [0, 1]
    assert all(reason in row.reason for row in samples.refused)
    assert samples.readings["index"].to_list() == [2]
    assert samples.names["channel"].to_list() == [None, None, "up:job=shop"]


def test_native_histograms_are_refused_by_name():
    request = fill_request([(UP, [(1, NOW_MS)]), ({"__name__": "h"}, [])])
    request.timeseries[1].histograms.add(sum=3, timestamp=NOW_MS)
    samples = read_write_request(request.SerializeToString(), POLICY)
    assert samples.refused == [RejectedRow(1, remote_writes._HISTOGRAM)]
    assert samples.names["channel"].to_list() == ["up:job=shop", "h"]


def test_metadata_alone_is_nothing_to_refuse():
    request = fill_request([])
    request.metadata.add(type=1, metric_family_name="up")
    samples = read_write_request(request.SerializeToString(), POLICY)
    assert (len(samples.readings), samples.refused) == (0, [])


def test_thousands_of_labels_make_one_short_name():
    many = {f"label{n}": "x" for n in range(900)}
    (row,) = read((UP | many, [(1, NOW_MS)]))
    assert len(row["channel"]) == 128


def test_only_short_labels_are_remembered():
    NAMES.known.cache_clear()
    for long in ("x" * KNOWN_BYTES_MAX, "y"):
        read((UP | {"long": long}, [(1, NOW_MS)]))
    assert NAMES.known.cache_info().currsize == 1


@given(st.lists(st.tuples(values, times), max_size=8))
def test_samples_are_read_as_one_by_one(samples):
    written = [SAMPLE(value=v, timestamp=t).SerializeToString() for v, t in samples]
    assert_reads(written, [v for v, _ in samples], [t for _, t in samples])


fields = st.one_of(
    st.binary(min_size=8, max_size=8).map(lambda eight: b"\x09" + eight),
    times.map(lambda t: SAMPLE(timestamp=t).SerializeToString()),
    st.sampled_from([b"\x18\x07", b"\x22\x01\x09", b"\x10\x80\x00", b"\x11" + bytes(8)]),
)


@given(st.lists(st.lists(fields, max_size=4).map(b"".join), max_size=6))
@example([b"\x10\x01\x09" + bytes(8), b"\x09" + bytes(8)])
@example([b"\x10\x01\x10\x02", b"\x18\x03"])
def test_fields_in_any_order_and_number_are_read_as_by_the_library(written):
    plain = [SAMPLE.FromString(sample) for sample in written]
    assert_reads(written, [s.value for s in plain], [s.timestamp for s in plain])


@given(st.lists(fields.flatmap(lambda f: st.integers(0, len(f)).map(lambda n: f[:n])), max_size=4))
@example([b"\x09\x00\x00", bytes(6)])
@example([b"\x10\x80", b"\x01"])
def test_samples_that_are_whole_only_together_are_refused(written):
    try:
        plain = [SAMPLE.FromString(sample) for sample in written]
    except Exception:  # noqa: BLE001 - whatever the library says of what is cut off.
        with pytest.raises(BadRequestError):
            read_samples(written)
    else:
        assert_reads(written, [s.value for s in plain], [s.timestamp for s in plain])


def assert_reads(written: list[bytes], values: list[float], times: list[int]) -> None:
    read_values, read_times = read_samples(written)
    assert read_times.tolist() == times
    assert np.array_equal(read_values, np.array(values, np.float64), equal_nan=True)


@given(
    st.binary(max_size=200) | st.binary(max_size=60).map(lambda b: b"\x0a" + bytes([len(b)]) + b)
)
def test_garbage_is_refused_and_never_a_crash(body):
    with suppress(BadRequestError):
        samples = read_write_request(body, POLICY)
        check_events(samples.readings, now=NOW, policy=TimePolicy())


@given(st.binary(max_size=100))
def test_what_snappy_did_not_pack_is_refused(body):
    with suppress(BadRequestError, TooLargeError):
        unpack(body)


def test_a_bomb_is_refused_before_it_is_unpacked(monkeypatch):
    packed = pack(bytes(BODY_BYTES_MAX + 1))
    assert len(packed) < BODY_BYTES_MAX / 10
    # Nothing is unpacked: what would do it is gone.
    monkeypatch.delattr(cramjam.snappy, "decompress_raw")
    with pytest.raises(TooLargeError, match="max_samples_per_send"):
        unpack(packed)


def test_a_length_that_lies_is_refused():
    packed = pack(b"x" * 1000)
    with pytest.raises(BadRequestError, match="snappy"):
        unpack(b"\x05" + packed[2:])


def test_as_much_as_is_allowed_is_unpacked():
    assert unpack(pack(bytes(BODY_BYTES_MAX))) == bytes(BODY_BYTES_MAX)


@pytest.mark.parametrize(
    ("body", "words"), [(b"\x0a\x00", "series"), (b"\x0a\x06" + b"\x12\x00" * 3, "samples")]
)
def test_too_many_of_nothing_are_refused(monkeypatch, body, words):
    monkeypatch.setattr(remote_writes, "SERIES_MAX", 50)
    monkeypatch.setattr(remote_writes, "SAMPLES_MAX", 100)
    times = 51 if words == "series" else 34
    with pytest.raises(TooLargeError, match=words):
        read_write_request(body * times, POLICY)
    read_write_request(body * (times - 1), POLICY)
