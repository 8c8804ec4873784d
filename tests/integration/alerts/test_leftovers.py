"""What alerts leave behind: kept as long as somebody may ask, and gone then."""

from datetime import timedelta

import asyncpg

from core.retention import RetentionPolicy
from db.retention import Dropped, RetentionStore
from tests.fixtures.alerts import write_route, write_rule
from tests.fixtures.clocks import START

POLICY = RetentionPolicy(raw=None, minutes=None)
AGES = [timedelta(hours=23), timedelta(hours=25), timedelta(days=29), timedelta(days=31)]
INSERTS = (
    "INSERT INTO moment_changes (moment_id, timestamp, at) SELECT 'm', t, t FROM unnest($1) AS t",
    """
    INSERT INTO alert_watches
    SELECT $2, phase || row_number() OVER (), t, '{}', phase, t, '{}', t
    FROM unnest($1) AS t, unnest(ARRAY['held', 'told', 'closed']) AS phase
    """,
    """
    INSERT INTO alert_groups
    SELECT $2, row_number() OVER ()::text, t, CASE WHEN waits THEN t END, t
    FROM unnest($1) AS t, unnest(ARRAY[true, false]) AS waits
    """,
    """
    INSERT INTO deliveries (delivery_id, route_id, group_key, severity, state, content, moment_ids,
        created_at, next_at, done_at)
    SELECT state || t, 'r', '{}', 'info', state, '{}', '{}', t, t,
        CASE WHEN state <> 'queued' THEN t END
    FROM unnest($1) AS t, unnest(ARRAY['queued', 'delivered', 'failed']) AS state
    """,
    """
    INSERT INTO delivery_attempts (delivery_id, number, route_id, started_at)
    SELECT delivery_id, 1, 'r', created_at FROM deliveries
    """,
)


async def test_what_is_done_goes_and_what_waits_stays(connection: asyncpg.Connection):
    rule = await write_rule(connection, await write_route(connection, "http://a.example"))
    times = [START - age for age in AGES]
    for statement in INSERTS:
        text = statement.replace("unnest($1)", "unnest($1::timestamptz[])")
        given = [value for name, value in (("$1", times), ("$2", rule)) if name in text]
        await connection.execute(text.replace("$2", "$2::text"), *given)
    dropped = await RetentionStore(connection).drop_old(START, POLICY)
    assert dropped == [
        Dropped("moment_changes", rows=3),
        Dropped("deliveries", rows=2),
        Dropped("alert_watches", rows=1),
        Dropped("alert_groups", rows=1),
    ]
    states = await connection.fetch(
        "SELECT state, count(*) FROM deliveries GROUP BY state ORDER BY state"
    )
    assert [tuple(row) for row in states] == [("delivered", 3), ("failed", 3), ("queued", 4)]
    assert await connection.fetchval("SELECT count(*) FROM delivery_attempts") == 10
    assert await RetentionStore(connection).drop_old(START, POLICY) == []
