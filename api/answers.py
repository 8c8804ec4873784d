"""Answers: finished bytes on their way out, with ``ETag``, ``Cache-Control`` and 304."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import Request, Response

from api.cache.base import Answer
from api.cache.lookups import STALE_S_MAX, Load, Wanted
from api.deps import Resources
from api.errors import MEDIA_TYPE
from api.replies import JSON, STALE, make_reply

_SECONDS: Final = {"type": "integer"}

ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "headers": {
            "ETag": {"description": "Names the content.", "schema": {"type": "string"}},
            STALE: {
                "description": "Only while the database is away: the answer is one from before,"
                f" this many seconds old, {STALE_S_MAX} at most.",
                "schema": _SECONDS,
            },
            "Age": {"description": "The same, only then.", "schema": _SECONDS},
        }
    },
    304: {"description": "The answer is still the one that `If-None-Match` names."},
    503: {
        "description": "The database is away, and no answer from before is at hand.",
        "content": {MEDIA_TYPE: {}},
        "headers": {
            "Retry-After": {"description": "Seconds to wait.", "schema": _SECONDS},
        },
    },
}
"""What the pages of the API say of every cached answer, beside its model."""


async def answer_cached(
    request: Request,
    uses: Resources,
    scope: str,
    *,
    ttl_s: int,
    load: Load,
    varies: bool = False,
) -> Response:
    """Answer from the cache, or from ``load``; path and query are the key.

    Whatever else of a request the route reads, ``api.shortcuts`` must know of.

    Args:
        request: What was asked.
        uses: What the application was built with.
        scope: What the answer tells of.
        ttl_s: How long it is kept at most.
        load: Makes it.
        varies: Whether the same request with another ``Accept`` is answered otherwise.
    """
    # Not the URL, which has the host in it as the client spelt it.
    key = f"{request.scope['path']}?{request.scope['query_string'].decode('latin-1')}"
    answer = await uses.lookups.find(Wanted(scope, key, ttl_s, load))
    uses.shortcuts.note(request.scope, key, scope, varies=varies)
    return send_answer(request, answer, varies=varies)


def send_answer(request: Request, answer: Answer, *, varies: bool = False) -> Response:
    """Send bytes, or 304 to a client that has them."""
    reply = make_reply(request.scope, answer, varies=varies)
    response = Response(reply.body, status_code=reply.status)
    response.raw_headers = reply.headers
    return response


def send_json(body: bytes, *, status: int = 200) -> Response:
    """Send bytes that are not to be kept."""
    headers = {"Cache-Control": "no-store"}
    return Response(body, status_code=status, media_type=JSON, headers=headers)


def send_row(row: Mapping[str, Any], *, status: int = 200) -> Response:
    """Send what is stored of one thing, not to be kept."""
    return send_json(orjson.dumps(row, option=orjson.OPT_UTC_Z), status=status)
