"""API keys: make, list, replace and revoke them; and tickets for sockets."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response

from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.keys import examples
from api.keys.schemas import KeyIn, KeyMadeOut, KeyOut, KeyPage, KeyQuery, TicketOut
from api.keys.tickets import GOOD_FOR
from api.paging import read_place, write_page, write_place
from core.errors import InvalidError
from core.keys import Secret, make_secret
from db.api_keys import KeyStore

KeyId = Annotated[str, Path(pattern="^key_[0-9a-f]{16}$", examples=["key_0123456789abcdef"])]


router = APIRouter(prefix="/keys", tags=["keys"])
tickets = APIRouter(prefix="/tickets", tags=["keys"])


@router.get("", response_model=KeyPage, responses=examples.KEYS, summary="List keys")
async def list_keys(uses: Uses, query: Annotated[KeyQuery, Query()]) -> Response:
    """Return keys without their secrets, newest first; revoked ones are among them."""
    after = read_place(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await KeyStore(connection).list_keys(after=after, limit=query.limit + 1)
    more = None
    if len(rows) > query.limit:
        last = rows[query.limit - 1]
        more = write_place(last["created_at"], last["key_id"])
    return send_json(write_page(rows[: query.limit], next_position=more))


@router.post(
    "",
    status_code=201,
    response_model=KeyMadeOut,
    responses=examples.CREATED,
    summary="Make a key",
)
async def create_key(uses: Uses, caller: Caller, given: KeyIn) -> Response:
    """Make a key and show it this once. From the first key on, requests need one."""
    if given.expires_at is not None and given.expires_at <= uses.clock.now():
        raise InvalidError("expires_at: lies in the past.")
    secret = make_secret()
    async with uses.pool.connection() as connection:
        row = await KeyStore(connection).insert(
            secret,
            name=given.name,
            scopes=given.scopes,
            streams=given.streams,
            expires_at=given.expires_at,
            actor=caller,
        )
    await uses.ring.refresh()
    return _show_once(row, secret, status=201)


@router.post(
    "/{key_id}/rotate",
    response_model=KeyMadeOut,
    responses=examples.ROTATED,
    summary="Replace a key's secret",
)
async def rotate_key(uses: Uses, caller: Caller, key_id: KeyId) -> Response:
    """Give a key another secret and show it this once; the one before stops at once."""
    secret = make_secret()
    async with uses.pool.connection() as connection:
        row = await KeyStore(connection).rotate(key_id, secret, actor=caller)
    await uses.ring.refresh()
    return _show_once(row, secret, status=200)


@router.delete(
    "/{key_id}", response_model=KeyOut, responses=examples.REVOKED, summary="Revoke a key"
)
async def revoke_key(uses: Uses, caller: Caller, key_id: KeyId) -> Response:
    """Let a key open nothing any more, within a second, open sockets included."""
    async with uses.pool.connection() as connection:
        row = await KeyStore(connection).revoke(key_id, actor=caller)
    await uses.ring.refresh()
    return send_row(row)


@tickets.post(
    "",
    status_code=201,
    response_model=TicketOut,
    responses=examples.TICKETS,
    summary="Get a ticket for a socket",
)
async def issue_ticket(uses: Uses, caller: Caller) -> Response:
    """Return what opens one socket as ``?ticket=…``, once and within half a minute."""
    expires_at = uses.clock.now() + GOOD_FOR
    body = {
        "ticket": await uses.identities.issue_ticket(caller),
        "expires_at": expires_at,
        "scopes": sorted(caller.scopes),
        "streams": caller.streams,
    }
    return send_row(body, status=201)


def _show_once(row: dict[str, Any], secret: Secret, *, status: int) -> Response:
    return send_row({**row, "key": secret.text}, status=status)
