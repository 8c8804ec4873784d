"""Alert rules: who is told of which moments, and when; made, changed and deleted."""

import asyncio
import secrets
from datetime import datetime
from typing import Annotated, Any, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Response

from api.alert_rules import examples
from api.alert_rules.previews import MOMENTS_MAX, find_start, preview_rule, read_past
from api.alert_rules.schemas import (
    AlertConditionIn,
    AlertPreviewOut,
    AlertRuleChangeIn,
    AlertRuleIn,
    AlertRuleOut,
    AlertRulePage,
    AlertRuleQuery,
)
from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.paging import read_cursor, write_page
from core.alerts import AlertRule
from db.alert_rules import AlertRuleStore
from db.alerts import AlertStore

RuleId: TypeAlias = Annotated[str, Path(pattern=r"^rul_[0-9a-f]{16}$", examples=[examples.RULE_ID])]

router = APIRouter(prefix="/alert-rules", tags=["alerts"])
previews = APIRouter(prefix="/alert-previews", tags=["alerts"])


@router.get("", response_model=AlertRulePage, responses=examples.RULES, summary="List rules")
async def list_alert_rules(uses: Uses, query: Annotated[AlertRuleQuery, Query()]) -> Response:
    """Return rules by name."""
    after = read_cursor(query.cursor) if query.cursor else None
    async with uses.pool.connection() as connection:
        rows = await AlertRuleStore(connection).list_rules(after=after, limit=query.limit + 1)
    more = rows[query.limit - 1]["name"] if len(rows) > query.limit else None
    return send_json(write_page(rows[: query.limit], next_position=more))


@router.post(
    "",
    status_code=201,
    response_model=AlertRuleOut,
    responses=examples.CREATED,
    summary="Make a rule",
)
async def create_alert_rule(
    uses: Uses,
    caller: Caller,
    given: Annotated[AlertRuleIn, Body(openapi_examples=examples.WISHES)],
) -> Response:
    """Make a rule. Without any rule nobody is told of anything."""
    rule_id = f"rul_{secrets.token_hex(8)}"
    async with uses.pool.connection() as connection:
        row = await AlertRuleStore(connection).insert(rule_id, given.to_row(), actor=caller)
    return send_row(row, status=201)


@previews.post(
    "",
    response_model=AlertPreviewOut,
    responses=examples.PREVIEW,
    summary="See what a rule would have told",
)
async def preview_alert_rule(
    uses: Uses, given: Annotated[AlertConditionIn, Body(openapi_examples=examples.CONDITIONS)]
) -> Response:
    """Return how often a rule would have told something of the stored moments of a week.

    Nothing is kept or sent. It is an estimate: what people did with moments is left aside, ends are
    not counted, and of more than 3 000 moments the newest are looked at.
    """
    now = uses.clock.now()
    async with uses.pool.connection() as connection:
        rows = await AlertStore(connection).list_past(find_start(now), MOMENTS_MAX + 1)
    found = await asyncio.to_thread(_preview, given.to_rule(now), rows, now)
    return send_row(found)


@router.get(
    "/{rule_id}", response_model=AlertRuleOut, responses=examples.ONE, summary="Read a rule"
)
async def get_alert_rule(uses: Uses, rule_id: RuleId) -> Response:
    """Return a rule."""
    async with uses.pool.connection() as connection:
        row = await AlertRuleStore(connection).get(rule_id)
    return send_row(row)


@router.patch(
    "/{rule_id}", response_model=AlertRuleOut, responses=examples.CHANGED, summary="Change a rule"
)
async def patch_alert_rule(
    uses: Uses,
    caller: Caller,
    rule_id: RuleId,
    given: Annotated[AlertRuleChangeIn, Body(openapi_examples=examples.CHANGES)],
) -> Response:
    """Change what is named of a rule; the end of what it told is told all the same."""
    async with uses.pool.connection() as connection:
        row = await AlertRuleStore(connection).update(
            rule_id, given.to_row(), actor=caller, now=uses.clock.now()
        )
    return send_row(row)


@router.delete("/{rule_id}", status_code=204, responses=examples.DELETED, summary="Delete a rule")
async def delete_alert_rule(uses: Uses, caller: Caller, rule_id: RuleId) -> None:
    """Delete a rule; it tells nothing more, also no end. What it has sent stays listed."""
    async with uses.pool.connection() as connection:
        await AlertRuleStore(connection).delete(rule_id, actor=caller)


def _preview(rule: AlertRule, rows: list[dict[str, Any]], now: datetime) -> dict[str, Any]:
    return preview_rule(rule, read_past(rows, now), now)
