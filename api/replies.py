"""Replies: an answer of the cache as it goes over the wire, whichever way it was found.

Routes and shortcuts send the same status, headers and bytes because both make them here.
"""

from typing import Final, NamedTuple

from starlette.types import Scope, Send

from api.cache.base import Answer
from api.headers import RawHeaders, find_header

JSON: Final = "application/json"

STALE: Final = "X-Telemetra-Stale"
"""The header of an answer from before the database went away: seconds since it was loaded."""

# Clients may keep the answer but ask before using it: a minute is revised when late events come.
_CACHE_CONTROL: Final = (b"cache-control", b"private, no-cache")
_CONTENT_TYPE: Final = (b"content-type", JSON.encode())
_VARY: Final = (b"vary", b"Accept")


class Reply(NamedTuple):
    """A finished answer to one request."""

    status: int
    headers: RawHeaders
    body: bytes

    async def send(self, send: Send) -> None:
        """Send it."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def make_reply(scope: Scope, answer: Answer, *, varies: bool = False) -> Reply:
    """Return the answer, or 304 to a client that has it.

    Args:
        scope: Of the request.
        answer: What was found.
        varies: Whether the same request with another ``Accept`` is answered otherwise.
    """
    headers = [(b"etag", answer.etag.encode()), _CACHE_CONTROL]
    if varies:
        headers.append(_VARY)
    if answer.stale_s is not None:
        age = b"%d" % answer.stale_s
        headers += [(STALE.lower().encode(), age), (b"age", age)]
    if is_known(find_header(scope, b"if-none-match"), answer.etag):
        return Reply(304, headers, b"")
    headers += [(b"content-length", b"%d" % len(answer.body)), _CONTENT_TYPE]
    return Reply(200, headers, answer.body)


def is_known(given: str | None, etag: str) -> bool:
    """Whether ``If-None-Match`` names a tag."""
    if given is None:
        return False
    tags = {tag.strip().removeprefix("W/") for tag in given.split(",")}
    return etag in tags or "*" in tags
