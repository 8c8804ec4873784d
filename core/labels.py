"""Labels: what the series of other systems are called here, a stream and a channel.

    http_requests_total{instance="a:9090", code="200", path="/x"}
        -> stream a:9090, channel http_requests_total:code=200:path=~2Fx

How that is written says ``core.safe_names``. Used by the doors for remote write and OTLP.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Concatenate, Final, Generic, NamedTuple, ParamSpec

from core.safe_names import make_stream_id

LABEL_BYTES_MAX: Final = 16_384
"""Most bytes of the labels of one series."""

KNOWN_BYTES_MAX: Final = 1024
"""Series with longer labels are named anew each time: they would fill the memory."""

KNOWN_SERIES_MAX: Final = 32_768
"""Series whose names are kept, some 30 MB; the longest unseen makes room."""

_DIGEST_BYTES: Final = 8

FRAMING_BYTES: Final = 2
"""What a label takes at least, also one that says nothing."""

Parameters = ParamSpec("Parameters")


class Series(NamedTuple):
    """What a series is called here."""

    stream_id: str | None = None
    channel: str | None = None
    digest: str | None = None
    """Of all that tells it from others: part of the ids of its samples."""

    refusal: str | None = None
    """Why it cannot be taken."""


class SeriesNames(Generic[Parameters]):
    """Names series by their labels as they came; most are known from the request before."""

    def __init__(self, name: Callable[Concatenate[tuple[bytes, ...], Parameters], Series]) -> None:
        self._name = name
        self.known = lru_cache(maxsize=KNOWN_SERIES_MAX)(name)

    def find(
        self,
        labels: tuple[bytes, ...],
        *args: Parameters.args,
        **kwargs: Parameters.kwargs,
    ) -> Series:
        """Return what a series is called, or why it is not taken."""
        size = sum(map(len, labels)) + FRAMING_BYTES * len(labels)
        if size > LABEL_BYTES_MAX:
            return Series(refusal=f"labels take more than {LABEL_BYTES_MAX} bytes")
        name = self.known if size <= KNOWN_BYTES_MAX else self._name
        return name(labels, *args, **kwargs)


def name_stream(
    labels: Mapping[str, str], chosen: Sequence[str], otherwise: str
) -> tuple[str, str | None]:
    """Return the stream of a series, and the label that named it.

    Args:
        labels: The labels of the series, or the attributes of its resource.
        chosen: The labels that name a stream; the first that is there and not empty does.
        otherwise: The stream of series that have none of them.
    """
    for label in chosen:
        if value := labels.get(label):
            return make_stream_id(value), label
    return otherwise, None


def digest_name(exact: str) -> str:
    """Return a short name for a text, the same in every process."""
    return hashlib.blake2b(exact.encode(), digest_size=_DIGEST_BYTES).hexdigest()
