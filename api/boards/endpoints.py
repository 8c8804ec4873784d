"""Boards: charts of any streams under one name, for everybody who may read."""

from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Body, Header, Path, Query, Response

from api.answers import send_json, send_row
from api.boards import examples
from api.boards.schemas import BoardIn, BoardOut, BoardPage, BoardQuery
from api.deps import Caller, Uses
from api.paging import read_cursor, write_page
from api.versions import read_version, tag_version
from core import keys
from core.boards import hide_charts, make_board_id
from db.boards import BoardStore

BoardId: TypeAlias = Annotated[
    str, Path(pattern=r"^brd_[0-9a-f]{16}$", examples=[examples.BOARD_ID])
]
IfMatch: TypeAlias = Annotated[str | None, Header(description=examples.IF_MATCH)]
Wish: TypeAlias = Annotated[BoardIn, Body(openapi_examples=examples.WISHES)]

router = APIRouter(prefix="/boards", tags=["boards"])


@router.get("", response_model=BoardPage, responses=examples.BOARDS, summary="List boards")
async def list_boards(
    uses: Uses, caller: Caller, query: Annotated[BoardQuery, Query()]
) -> Response:
    """Return boards by name. Of charts that the key does not reach only the place is told."""
    after = read_cursor(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await BoardStore(connection).list_boards(after=after, limit=query.limit + 1)
    more = rows[query.limit - 1]["name"] if len(rows) > query.limit else None
    shown = [_show(row, caller) for row in rows[: query.limit]]
    return send_json(write_page(shown, next_position=more))


@router.post(
    "",
    status_code=201,
    response_model=BoardOut,
    responses=examples.CREATED,
    summary="Make a board",
)
async def create_board(uses: Uses, caller: Caller, given: Wish) -> Response:
    """Make a board under a new id."""
    async with uses.pool.connection() as connection:
        row = await BoardStore(connection).put(
            make_board_id(), given.to_row(), version=None, actor=caller
        )
    return _send(row, caller, status=201)


@router.get("/{board_id}", response_model=BoardOut, responses=examples.ONE, summary="Read a board")
async def get_board(uses: Uses, caller: Caller, board_id: BoardId) -> Response:
    """Return a board, its version in the ETag."""
    async with uses.pool.connection() as connection:
        row = await BoardStore(connection).get(board_id)
    return _send(row, caller)


@router.put(
    "/{board_id}", response_model=BoardOut, responses=examples.PUT, summary="Change a board"
)
async def put_board(
    uses: Uses, caller: Caller, board_id: BoardId, given: Wish, if_match: IfMatch = None
) -> Response:
    """Replace all of a board; without If-Match one that is not there is made, or comes back.

    The same again changes nothing, not even the version.
    """
    async with uses.pool.connection() as connection:
        row = await BoardStore(connection).put(
            board_id, given.to_row(), version=read_version(if_match, "board"), actor=caller
        )
    return _send(row, caller)


@router.delete(
    "/{board_id}", response_model=BoardOut, responses=examples.DELETED, summary="Delete a board"
)
async def delete_board(
    uses: Uses, caller: Caller, board_id: BoardId, if_match: IfMatch = None
) -> Response:
    """Take a board away and return it as it was; sent with PUT, it is there again."""
    async with uses.pool.connection() as connection:
        row = await BoardStore(connection).delete(
            board_id, version=read_version(if_match, "board"), actor=caller
        )
    return _send(row, caller)


def _show(row: dict[str, Any], caller: keys.Caller) -> dict[str, Any]:
    return {**row, "charts": hide_charts(row["charts"], caller.allows_stream)}


def _send(row: dict[str, Any], caller: keys.Caller, *, status: int = 200) -> Response:
    return tag_version(send_row(_show(row, caller), status=status), row["version"])
