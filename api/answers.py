"""Answers: finished bytes on their way out, with ``ETag``, ``Cache-Control`` and 304."""

from collections.abc import Awaitable, Callable

from fastapi import Request, Response

from api.cache.base import Answer, answer_from
from api.deps import Resources

JSON = "application/json"


async def answer_cached(
    request: Request,
    uses: Resources,
    scope: str,
    *,
    ttl_s: int,
    load: Callable[[], Awaitable[bytes]],
    variant: str = "",
) -> Response:
    """Answer from the cache, or from ``load``; the path, the query and the variant are the key."""
    key = f"{request.url.path}?{request.url.query}#{variant}"
    answer = await answer_from(uses.cache, scope, key, ttl_s=ttl_s, load=load)
    return send_answer(request, answer)


def send_answer(request: Request, answer: Answer) -> Response:
    """Send bytes, or 304 to a client that has them."""
    # Clients may keep the answer but ask before using it: a minute is revised when late events
    # come.
    headers = {"ETag": answer.etag, "Cache-Control": "private, no-cache"}
    if _is_known(request.headers.get("If-None-Match", ""), answer.etag):
        return Response(status_code=304, headers=headers)
    return Response(answer.body, media_type=JSON, headers=headers)


def send_json(body: bytes) -> Response:
    """Send bytes that are not to be kept."""
    return Response(body, media_type=JSON, headers={"Cache-Control": "no-store"})


def _is_known(given: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return etag in tags or "*" in tags
