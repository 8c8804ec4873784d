"""Bodies: what a request brings, whole, plain and within its limit, for every door.

chunks ─► compressed, up to the limit ─► core.encodings ─► plain, up to the limit
"""

import asyncio
from typing import Final

from fastapi import Request

from api.ingest.rooms import Share
from core.encodings import ENCODINGS, decode_body, is_known
from core.errors import TooLargeError, UnsupportedMediaError

MEGABYTE: Final = 1_000_000

INLINE_BYTES_MAX: Final = 4_096
"""Larger compressed bodies are unpacked in a thread: even few bytes may take some milliseconds."""


async def read_body(request: Request, share: Share, *, bytes_max: int) -> bytes:
    """Read the body, decompress it, and stop as soon as it is too large.

    Raises:
        BadRequestError: It is not what its encoding says.
        RoomFullError: There is no room for it now.
        TooLargeError: It is over the limit, as it comes or once it is plain.
        UnsupportedMediaError: It is compressed in a way that is not read here.
    """
    encoding = request.headers.get("content-encoding", "identity").strip().lower() or "identity"
    if not is_known(encoding):
        raise UnsupportedMediaError(
            f"Content-Encoding {encoding[:50]} is not read here. Send {', '.join(ENCODINGS)}."
        )
    body = await receive_body(request, share, bytes_max=bytes_max)
    if encoding == "identity":
        return body
    if len(body) <= INLINE_BYTES_MAX:
        plain = decode_body(body, encoding, bytes_max=bytes_max)
    else:
        plain = await asyncio.to_thread(decode_body, body, encoding, bytes_max=bytes_max)
    share.claim(len(plain))
    return plain


async def receive_body(request: Request, share: Share, *, bytes_max: int) -> bytes:
    """Read the body as it comes, and stop as soon as it is too large.

    Raises:
        RoomFullError: There is no room for it now.
        TooLargeError: It is over the limit.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > bytes_max:
        raise _describe_excess(bytes_max)
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > bytes_max:
            raise _describe_excess(bytes_max)
        share.claim(size)
        chunks.append(chunk)
    return b"".join(chunks)


def _describe_excess(bytes_max: int) -> TooLargeError:
    return TooLargeError(
        f"The body is over the limit of {bytes_max // MEGABYTE} MB. Send it in parts;"
        " nothing of it was taken."
    )
