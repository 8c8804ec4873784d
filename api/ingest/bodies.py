"""Bodies: what a request brings, whole and within its limit, for every door that takes events."""

from typing import Final

from fastapi import Request

from core.errors import TooLargeError, UnsupportedMediaError

MEGABYTE: Final = 1_000_000


async def read_body(request: Request, *, bytes_max: int) -> bytes:
    """Read the body and stop as soon as it is too large.

    Raises:
        TooLargeError: It is over the limit.
        UnsupportedMediaError: It is compressed.
    """
    if (encoding := request.headers.get("content-encoding", "identity")) != "identity":
        raise UnsupportedMediaError(f"Content-Encoding {encoding} is not read. Send it plain.")
    too_large = TooLargeError(
        f"The body is over the limit of {bytes_max // MEGABYTE} MB. Send it in parts;"
        " nothing of it was taken."
    )
    if int(request.headers.get("content-length") or 0) > bytes_max:
        raise too_large
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)
