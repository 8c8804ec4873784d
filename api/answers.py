"""Answers: finished bytes on their way out, with ``ETag``, ``Cache-Control`` and 304."""

from typing import Any, Final

from fastapi import Request, Response

from api.cache.base import Answer
from api.cache.lookups import STALE_S_MAX, Load, Wanted
from api.deps import Resources
from api.errors import MEDIA_TYPE

JSON = "application/json"

STALE: Final = "X-Telemetra-Stale"
"""The header of an answer from before the database went away: seconds since it was loaded."""

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
    variant: str = "",
) -> Response:
    """Answer from the cache, or from ``load``; the path, the query and the variant are the key."""
    # Not the URL, which has the host in it as the client spelt it.
    query = request.scope["query_string"].decode("latin-1")
    key = f"{request.scope['path']}?{query}#{variant}"
    answer = await uses.lookups.find(Wanted(scope, key, ttl_s, load))
    return send_answer(request, answer)


def send_answer(request: Request, answer: Answer) -> Response:
    """Send bytes, or 304 to a client that has them."""
    # Clients may keep the answer but ask before using it: a minute is revised when late events
    # come.
    headers = {"ETag": answer.etag, "Cache-Control": "private, no-cache"}
    if answer.stale_s is not None:
        headers |= {STALE: str(answer.stale_s), "Age": str(answer.stale_s)}
    if _is_known(request.headers.get("If-None-Match", ""), answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=JSON, headers=headers)


def send_json(body: bytes) -> Response:
    """Send bytes that are not to be kept."""
    return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})


def _is_known(given: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return etag in tags or "*" in tags
