"""Encodings: compressed bodies into plain ones, in steps, and never more than was allowed.

    gzip, zstd ─► 64 kB at a time ─► plain bytes, as long as they stay below the limit

A few bytes may stand for gigabytes. A step is told how much it may bring, so that the memory taken
never passes the limit by more than a step. Used by every door that takes bodies.
"""

import zlib
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from backports import zstd

from core.errors import BadRequestError, TooLargeError

STEP_BYTES: Final = 65_536

PARTS_MAX: Final = 4_096
"""Compressed parts one after the other: tools that compress in parallel make one of 64 kB or more,
and each costs its own start."""

ZSTD_WINDOW_LOG_MAX: Final = 23
"""8 MB: what everyone who reads zstd over HTTP must be able to hold, and no more than that."""


class _Decompressor(Protocol):
    """Reads one part; what follows its end is left over."""

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


def _start_gzip() -> _Decompressor:
    return zlib.decompressobj(zlib.MAX_WBITS | 16)


def _start_zstd() -> _Decompressor:
    options: dict[int, int] = {zstd.DecompressionParameter.window_log_max: ZSTD_WINDOW_LOG_MAX}
    return zstd.ZstdDecompressor(options=options)


_STARTS: Final[Mapping[str, Callable[[], _Decompressor]]] = {
    "gzip": _start_gzip,
    # The older name of the same, which servers have to know.
    "x-gzip": _start_gzip,
    "zstd": _start_zstd,
}

ENCODINGS: Final = ("gzip", "zstd", "identity")
"""As they are told to who sends another."""


def is_known(encoding: str) -> bool:
    """Whether bodies of an encoding can be read."""
    return encoding in _STARTS or encoding == "identity"


def decode_body(body: bytes, encoding: str, *, bytes_max: int) -> bytes:
    """Return the plain body.

    Args:
        body: As it came.
        encoding: One that ``is_known``.
        bytes_max: How large the plain body may be.

    Raises:
        BadRequestError: It is damaged, or cut off.
        TooLargeError: It is over the limit.
    """
    if encoding == "identity":
        return body
    try:
        return _decode(body, encoding, bytes_max)
    except (zlib.error, zstd.ZstdError) as error:
        raise BadRequestError(f"The body is not {encoding}: {error}. Nothing was taken.") from None


def _decode(body: bytes, encoding: str, bytes_max: int) -> bytes:
    plain = bytearray()
    parts = 1
    reader = _STARTS[encoding]()
    for begin in range(0, len(body), STEP_BYTES):
        piece = body[begin : begin + STEP_BYTES]
        while piece:
            if reader.eof:
                reader, parts = _STARTS[encoding](), parts + 1
            plain += reader.decompress(piece, bytes_max + 1 - len(plain))
            if len(plain) > bytes_max or parts > PARTS_MAX:
                raise _describe_excess(bytes_max, parts)
            piece = reader.unused_data if reader.eof else b""
    if not reader.eof:
        raise BadRequestError(f"The body ends before its {encoding} does. Send it whole.")
    return bytes(plain)


def _describe_excess(bytes_max: int, parts: int) -> TooLargeError:
    if parts > PARTS_MAX:
        return TooLargeError(
            f"The body has more than {PARTS_MAX} compressed parts. Send it as one."
        )
    return TooLargeError(
        f"The body is over the limit of {bytes_max // 1_000_000} MB once it is decompressed."
        " Send it in parts; nothing of it was taken."
    )
