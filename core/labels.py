"""Labels: what the series of other systems are called here, a stream and a channel.

    http_requests_total{instance="a:9090", code="200", path="/x"}
        -> stream a:9090, channel http_requests_total~code=200~path=_x~5f0c6a1e2b

A name here stands in addresses and keys (``core.events.NAME_PATTERN``). What cannot stand there
becomes ``_``, and where that or the length loses something, a digest of the exact name follows:
different series never share a channel. Used by the doors for remote write and OTLP.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Concatenate, Final, Generic, NamedTuple, ParamSpec

from core.events import NAME_PATTERN

NAME_LENGTH_MAX: Final = 128
"""As ``NAME_PATTERN`` has it."""

DIGEST_BYTES: Final = 5
"""Names that read the same are told apart by it: of a thousand, two are mixed up once in two
million cases."""

LABEL_BYTES_MAX: Final = 16_384
"""Most bytes of the labels of one series."""

KNOWN_BYTES_MAX: Final = 1024
"""Series with longer labels are named anew each time: they would fill the memory."""

KNOWN_SERIES_MAX: Final = 32_768
"""Series whose names are kept, some 30 MB; the longest unseen makes room."""

FRAMING_BYTES: Final = 2
"""What a label takes at least, also one that says nothing."""

Parameters = ParamSpec("Parameters")

_NAME: Final = re.compile(NAME_PATTERN)
_FOREIGN: Final = re.compile(r"[^A-Za-z0-9_.:@~+=#-]")


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
            return (value if _NAME.fullmatch(value) else _shorten(value, value)), label
    return otherwise, None


def name_channel(name: str, labels: Iterable[tuple[str, str]]) -> str:
    """Return the channel of a series by its name and the labels that tell it from others."""
    pairs = sorted(labels)
    channel = "~".join([name, *(f"{key}={value}" for key, value in pairs)])
    is_clear = channel.count("~") == len(pairs) and not any("=" in key for key, _ in pairs)
    if is_clear and _NAME.fullmatch(channel):
        return channel
    return _shorten(channel, "\x1f".join([name, *(f"{key}\x1e{value}" for key, value in pairs)]))


def digest_name(exact: str, digest_bytes: int = DIGEST_BYTES) -> str:
    """Return a short name for a text, the same in every process."""
    return hashlib.blake2b(exact.encode(), digest_size=digest_bytes).hexdigest()


def _shorten(text: str, exact: str) -> str:
    """Return what of a text can stand in a name, and a digest of what it stands for."""
    kept = NAME_LENGTH_MAX - 2 * DIGEST_BYTES - 1
    return f"{_FOREIGN.sub('_', text[:kept])}~{digest_name(exact)}"
