"""Audit: who changed what, newest first."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.answers import send_json
from api.audit.schemas import AuditPage, AuditQuery
from api.deps import Uses
from api.keys.examples import AUDIT
from api.paging import read_cursor, write_page
from core.errors import InvalidError
from db.audit_log import AuditStore

ID_MAX = 2**63 - 1

router = APIRouter(prefix="/audit", tags=["keys"])


@router.get("", response_model=AuditPage, responses=AUDIT, summary="Read the audit log")
async def list_audit(uses: Uses, query: Annotated[AuditQuery, Query()]) -> Response:
    """Return changes with how it was before and after; secrets are never among it."""
    before_id = _read_id(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await AuditStore(connection).list_entries(before_id=before_id, limit=query.limit + 1)
    more = str(rows[query.limit - 1]["id"]) if len(rows) > query.limit else None
    return send_json(write_page(rows[: query.limit], next_position=more))


def _read_id(cursor: str) -> int:
    text = read_cursor(cursor)
    if not text.isdecimal() or not text.isascii() or int(text) > ID_MAX:
        raise InvalidError("cursor: take it from next_cursor of the page before.")
    return int(text)
