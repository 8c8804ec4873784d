"""Remote writes: what Prometheus sends, into columns of readings.

    snappy -> WriteRequest -> labels as bytes -> a stream and a channel each, most of them known
                           -> samples as bytes -> two columns, values and times

Prometheus sends one sample of each of some hundred series: a loop over series is a loop over
samples, so that all it does is to hand bytes on. The wire format reads a joined run of samples as
one message whose fields repeat, which is what makes columns of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final, TypeAlias

import cramjam
import numpy as np
import polars as pl
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from core.errors import BadRequestError, TooLargeError
from core.events import TIMESTAMP, RejectedRow
from core.labels import Series, SeriesNames, digest_name, name_stream
from core.safe_names import make_channel
from core.wire_messages import build_classes, parse, write_file

BODY_BYTES_MAX: Final = 8_388_608
"""Most bytes of a request, unpacked: what the largest senders put into one. Prometheus sends about
half a megabyte. Forty times as much memory, for a moment, is the most that reading takes."""

SERIES_MAX: Final = 100_000
"""Most series of a request; Prometheus sends 2 000 at most unless it is told otherwise."""

SAMPLES_MAX: Final = 500_000
"""Most samples of a request: more than fit into its bytes, unless they say nothing."""

STALE_NAN: Final = 0x7FF0_0000_0000_0002
"""The value by which Prometheus says that a series has ended."""

TIME_MS_MAX: Final = 10**14
"""Times beyond the year 5138 count as that: no door lets them through, and none overflows."""

_NAMED: Final = "__name__"
_VALUE_TAG: Final = 0x09
_TIME_TAG: Final = 0x10
_VALUE_BYTES: Final = 9
_GOES_ON: Final = 0x80
"""The bit of a byte that says that its number goes on."""

_END: Final = bytes(_VALUE_BYTES)
"""Looked at, where the last samples are shorter than others."""

_find_class = build_classes(
    write_file(
        "telemetra.remote_write",
        {
            "Label": ("string name = 1", "string value = 2"),
            "Samples": ("repeated double value = 1", "repeated int64 time = 2"),
            "Series": (
                "repeated bytes labels = 1",
                "repeated bytes samples = 2",
                "repeated bytes histograms = 4",
            ),
            "WriteRequest": ("repeated Series series = 1",),
        },
    )
)
_LABEL: Final = _find_class("telemetra.remote_write.Label")
_SAMPLES: Final = _find_class("telemetra.remote_write.Samples")
_WRITE_REQUEST: Final = _find_class("telemetra.remote_write.WriteRequest")

Bools: TypeAlias = NDArray[np.bool_]
Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SeriesPolicy:
    """Decides which stream and which channel a series becomes."""

    stream_labels: tuple[str, ...] = ("stream_id", "instance", "job")
    """The first of these that a series has names its stream."""

    stream: str = "prometheus"
    """The stream of series that have none of them."""

    left_out: frozenset[str] = frozenset()
    """Labels that channels are not named after."""


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of a request."""

    readings: pl.DataFrame
    """Columns of ``core.events.RAW_SCHEMA``, and ``index``."""

    refused: list[RejectedRow]
    names: pl.DataFrame
    """``stream_id`` and ``channel`` of every sample by its index, to tell people which one."""

    stale: int
    """Samples that say that their series has ended."""

    empty: int
    """Samples that are not a number: what a summary says that has seen nothing."""


def unpack(body: bytes) -> bytes:
    """Return what snappy packed.

    Raises:
        BadRequestError: It is no snappy block.
        TooLargeError: It is larger than a request may be, by its own account: nothing is unpacked.
    """
    try:
        size = cramjam.snappy.decompress_raw_len(body)
        if size > BODY_BYTES_MAX:
            raise TooLargeError(
                f"The request is {size} bytes when unpacked, over the limit of {BODY_BYTES_MAX}."
                " Send fewer samples at once: max_samples_per_send."
            )
        return bytes(cramjam.snappy.decompress_raw(body))
    except cramjam.DecompressionError as error:
        raise BadRequestError(f"The body is not packed by snappy, block format: {error}") from None


def read_write_request(body: bytes, policy: SeriesPolicy) -> Samples:
    """Read a WriteRequest.

    Raises:
        BadRequestError: It is none.
        TooLargeError: It holds too many series or samples.
    """
    request = parse(_WRITE_REQUEST, body)
    if len(request.series) > SERIES_MAX:
        raise TooLargeError(f"There are more than {SERIES_MAX} series. Send fewer at once.")
    names, samples, counts, histograms = _cut(request, policy)
    if len(samples) > SAMPLES_MAX:
        raise TooLargeError(f"There are more than {SAMPLES_MAX} samples. Send fewer at once.")
    values, times = read_samples(samples)
    owners = np.repeat(np.arange(len(names)), counts)
    series = pl.DataFrame(names, schema=dict.fromkeys(Series._fields, pl.String), orient="row")
    frame = series[owners].with_columns(
        index=np.arange(len(values)),
        type=pl.lit("reading"),
        value=values,
        timestamp=pl.Series(np.clip(times, -TIME_MS_MAX, TIME_MS_MAX) * 1000).cast(TIMESTAMP),
        id=pl.concat_str("digest", pl.lit("-"), pl.Series(times).cast(pl.String)),
    )
    stale = values.view(np.int64) == STALE_NAN
    readings = frame.filter(~np.isnan(values))
    refused = readings.filter(pl.col("refusal").is_not_null())
    rows = [RejectedRow(*row) for row in refused.select("index", "refusal").iter_rows()]
    rows += [RejectedRow(len(values) + n, _HISTOGRAM) for n in range(len(histograms))]
    return Samples(
        readings.filter(pl.col("refusal").is_null()).drop("refusal", "digest"),
        rows,
        pl.concat([series[owners], series[histograms]]).select("stream_id", "channel"),
        stale=int(stale.sum()),
        empty=int((np.isnan(values) & ~stale).sum()),
    )


_HISTOGRAM: Final = "native histograms are not read; leave send_native_histograms off"


def _cut(
    request: Any,  # noqa: ANN401 (made at run time)
    policy: SeriesPolicy,
) -> tuple[list[Series], list[bytes], list[int], list[int]]:
    """Return names, samples, how many of these each series has, and who owns histograms."""
    names: list[Series] = []
    samples: list[bytes] = []
    counts: list[int] = []
    histograms: list[int] = []
    for number, series in enumerate(request.series):
        names.append(NAMES.find(tuple(series.labels), policy))
        samples.extend(series.samples)
        counts.append(len(series.samples))
        histograms.extend([number] * len(series.histograms))
    return names, samples, counts, histograms


def _name_series(labels: tuple[bytes, ...], policy: SeriesPolicy) -> Series:
    try:
        read = [_LABEL.FromString(label) for label in labels]
    except DecodeError:
        return Series(refusal="a label cannot be read: it is damaged, or not UTF-8")
    pairs = [(label.name, label.value) for label in read]
    known = dict(pairs)
    if len(known) < len(pairs):
        return Series(refusal="a label is named twice")
    stream_id, chosen = name_stream(known, policy.stream_labels, policy.stream)
    unnamed = policy.left_out | {_NAMED, chosen}
    rest = [pair for pair in pairs if pair[0] not in unnamed and pair[1]]
    name = known.get(_NAMED)
    exact = "\x1f".join(chain.from_iterable(sorted(pairs)))
    return Series(stream_id, make_channel(name, rest) if name else None, digest_name(exact))


NAMES: Final = SeriesNames(_name_series)


def read_samples(samples: Sequence[bytes]) -> tuple[Floats, Ints]:
    """Return the values and the times, in milliseconds, of samples.

    Raises:
        BadRequestError: One of them is none.
    """
    values, times = np.zeros(len(samples)), np.zeros(len(samples), np.int64)
    joined = b"".join(samples)
    # A zero is left out on the wire, so that a sample has a value, a time, both or neither.
    valued, timed, is_plain = _find_fields(samples, np.frombuffer(joined + _END, np.uint8))
    if not is_plain:
        return _read_odd_samples(samples)
    columns = parse(_SAMPLES, joined)
    if len(columns.value) != valued.sum() or len(columns.time) != timed.sum():
        return _read_odd_samples(samples)
    values[valued] = columns.value
    times[timed] = columns.time
    return values, times


def _find_fields(samples: Sequence[bytes], data: NDArray[np.uint8]) -> tuple[Bools, Bools, bool]:
    """Tell which samples begin with a value, which go on with a time, and if all end with these."""
    sizes = np.fromiter(map(len, samples), np.int64, len(samples))
    starts = np.cumsum(sizes) - sizes
    valued = (sizes >= _VALUE_BYTES) & (data[starts] == _VALUE_TAG)
    after = np.where(valued, _VALUE_BYTES, 0)
    timed = (sizes > after) & (data[starts + after] == _TIME_TAG)
    ends_whole = data[starts + np.maximum(sizes - 1, 0)] < _GOES_ON
    return valued, timed, bool(((sizes == after) | (timed & ends_whole)).all())


def _read_odd_samples(samples: Sequence[bytes]) -> tuple[Floats, Ints]:
    """Read samples one by one, for a sender that writes their fields in another way."""
    read = [parse(_SAMPLES, sample) for sample in samples]
    values = [sum(sample.value[-1:]) for sample in read]
    times = [sum(sample.time[-1:]) for sample in read]
    return np.array(values, np.float64), np.array(times, np.int64)
