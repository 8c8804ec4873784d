"""Probes: small questions to the API over HTTP, without a client library."""

import asyncio
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

import orjson

ANSWER_BYTES_MAX: Final = 1_000_000


async def get(url: str) -> tuple[int, bytes]:
    """Return the status and body of a GET.

    Raises ``OSError`` when nobody answers in HTTP.
    """
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
    try:
        # HTTP/1.0: the body ends with the connection, and is never chunked.
        writer.write(f"GET {parts.path or '/'} HTTP/1.0\r\nHost: {parts.netloc}\r\n\r\n".encode())
        await writer.drain()
        answer = await _read_bounded(reader)
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    head, _, body = answer.partition(b"\r\n\r\n")
    words = head.split(b" ", 2)
    if len(words) < 2 or not words[1].isdigit():
        raise ConnectionError(f"{url} did not answer in HTTP")
    return int(words[1]), body


async def is_api_ready(api_url: str) -> bool:
    """Whether the API can serve."""
    status, _ = await get(f"{api_url}/readyz")
    return status == 200


async def is_flow_ready(api_url: str) -> bool:
    """Whether the API has heard from the flow."""
    return await _is_said("flow", api_url, {"ok"})


async def is_archive_ready(api_url: str) -> bool:
    """Whether the API has heard from the archive, be it that its disk is full."""
    return await _is_said("archive", api_url, {"ok", "degraded"})


async def are_alerts_ready(api_url: str) -> bool:
    """Whether the database has heard from the alerts, be it that they are behind."""
    return await _is_said("alerts", api_url, {"ok", "degraded"})


async def are_jobs_ready(api_url: str) -> bool:
    """Whether the database has heard from the jobs, be it that they are behind."""
    return await _is_said("jobs", api_url, {"ok", "degraded"})


async def _is_said(part: str, api_url: str, wanted: set[str]) -> bool:
    _, body = await get(f"{api_url}/api/v1/health")
    try:
        return orjson.loads(body)[part]["status"] in wanted
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return False


async def _read_bounded(reader: asyncio.StreamReader) -> bytes:
    answer = b""
    while len(answer) < ANSWER_BYTES_MAX and (chunk := await reader.read(65_536)):
        answer += chunk
    return answer
