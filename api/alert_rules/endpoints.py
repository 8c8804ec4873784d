"""Alert rules: who is told of which moments, and when; made, changed and deleted."""

import secrets
from typing import Annotated, TypeAlias

from fastapi import APIRouter, Body, Path, Query, Response

from api.alert_rules import examples
from api.alert_rules.schemas import (
    AlertRuleChangeIn,
    AlertRuleIn,
    AlertRuleOut,
    AlertRulePage,
    AlertRuleQuery,
)
from api.answers import send_json, send_row
from api.deps import Caller, Uses
from api.paging import read_cursor, write_page
from db.alert_rules import AlertRuleStore

RuleId: TypeAlias = Annotated[str, Path(pattern=r"^rul_[0-9a-f]{16}$", examples=[examples.RULE_ID])]

router = APIRouter(prefix="/alert-rules", tags=["alerts"])


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
