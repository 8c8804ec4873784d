"""Bare: the least that can answer, to find what a generator can ask at most.

python -m loadtest.load.bare PORT
"""

import sys
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

from infra.services.ports import LOOPBACK

BODY = b'{"status":"ok"}'


async def answer(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[Any]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Answer whatever is asked."""
    del receive
    if scope["type"] == "http":
        headers = [(b"content-type", b"application/json"), (b"content-length", b"15")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": BODY})


if __name__ == "__main__":
    uvicorn.run(answer, host=LOOPBACK, port=int(sys.argv[1]), log_level="warning", lifespan="off")
