"""Aliases: the paths of front ends of other systems, served by the routers of the canonical ones.

    /api/sessions  ─┐                        ┌─ canonical: {"data": […], "next_cursor": …}
    /api/v1/sessions ┴─► the same endpoint ──┴─ alias: […], and the cursor in a header

A router is included a second time, left out of the description. An endpoint asks for ``Plain``
where the shapes differ; ``core.access`` says which alias stands for which path.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Final, TypeAlias

import orjson
from fastapi import APIRouter, Depends, Request, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import send_json
from api.paging import write_cursor, write_page
from core.access import ALIASES, find_canonical

NEXT_CURSOR: Final = "X-Next-Cursor"
"""The header of a plain list that goes on: what to give as ``cursor``."""


async def is_plain(request: Request) -> bool:
    """Whether a request came by an alias, and expects plain lists."""
    path: str = request.scope["path"]
    return find_canonical(path) != path


Plain: TypeAlias = Annotated[bool, Depends(is_plain)]
"""Whether lists are to be plain arrays."""


def include_aliases(routes: APIRouter, *routers: APIRouter, prefix: str) -> None:
    """Serve routers below another prefix as well."""
    for router in routers:
        routes.include_router(router, prefix=prefix, include_in_schema=False)


def send_list(
    rows: Sequence[dict[str, Any]], *, next_position: str | None, plain: bool
) -> Response:
    """Send a list in the shape that is expected, not to be kept."""
    if not plain:
        return send_json(write_page(rows, next_position=next_position))
    response = send_json(orjson.dumps(rows, option=orjson.OPT_UTC_Z))
    if next_position is not None:
        response.headers[NEXT_CURSOR] = write_cursor(next_position)
    return response


class SlashMiddleware:
    """Takes an address that has an alias for the same with and without a slash at its end.

    A redirect would do for a browser; many other clients do not follow one that has a body.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._folders = (*ALIASES, *ALIASES.values())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] == "http" and scope["path"].endswith("/"):
            path = scope["path"].rstrip("/")
            if any(path == name or path.startswith(f"{name}/") for name in self._folders):
                scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)
