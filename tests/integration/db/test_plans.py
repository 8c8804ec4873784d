"""Plans: every statement of every store touches the chunks and rows it needs, and no more.

A new statement belongs into ``CASES``, or into ``NOT_PLANNED`` with the reason.
"""

import re
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import asyncpg
import pytest

from db.deletions import AT_ONCE, BY_CHUNK
from db.minutes import BEGINNING, END
from db.moments import STORED
from db.pool import prepare_connection
from tests.fixtures.databases import execute, name_database
from tests.fixtures.plans import FILL, NOW, SMALL_ROWS, Chunk, Scan, back, list_chunks, list_scans
from tests.fixtures.servers import run_apart
from tests.integration.db import device_cases
from tests.integration.db.plan_cases import ONE, PAGE, START, STATEMENTS, STOP, Case, case
from tests.integration.db.session_plans import SESSIONS
from tests.integration.db.speech_plans import SPEECH


def _list_spans() -> Iterator[Case]:
    """Yield the lists of windows and curves, which are all alike."""
    for noun, key in (("chat", (ONE,)), ("reading", (ONE, "temp"))):
        for unit in ("minutes", "hours", "days"):
            table = "minutes" if unit == "minutes" else "windows"
            page: tuple[Any, ...] = (START, STOP, PAGE)
            yield case(f"{table}.list_{noun}_{unit}", *key, *page, None)
            yield case(
                f"{table}.list_{noun}_{unit}",
                *key,
                *page,
                [START, back(days=12)],
                rows_max=PAGE,
                note="of some starts",
            )
            yield case(
                f"{table}.list_{noun}_{unit}",
                *key,
                BEGINNING,
                END,
                PAGE,
                None,
                start=BEGINNING,
                end=END,
                note="newest",
            )
            yield case(f"curves.list_{noun}_{unit}", *key, *page)
        width = timedelta(minutes=60)
        page = (START, STOP, width, 2 * PAGE, PAGE)
        yield case(f"windows.list_{noun}_buckets", *key, *page, None, rows_max=3 * PAGE)
        yield case(
            f"windows.list_{noun}_buckets",
            *key,
            START,
            back(days=16),
            width,
            PAGE,
            PAGE,
            [START],
            rows_max=PAGE,
            note="of some starts",
        )
        yield case(f"curves.list_{noun}_buckets", *key, *page, rows_max=3 * PAGE)


def _list_recomputations() -> Iterator[Case]:
    hour = (back(days=12), back(days=12) + timedelta(hours=1))
    for name in ("chat_rows", "reading_rows", "transaction_rows"):
        for stream in (None, ONE):
            yield case(f"recomputations.list_{name}", *hour, stream, 10**6, note=f"of {stream}")
    for name in ("chat_hours", "reading_hours", "chat_days", "reading_days"):
        day = (back(days=12), back(days=11))
        yield case(f"recomputations.list_{name}", *day, None, 10**6, rows_max=4 * PAGE)
    for stream in (None, ONE):
        yield case(
            "recomputations.list_late", START, back(days=16), stream, 10**6,
            rows_max=200, note=f"of {stream}",
        )  # fmt: skip


def _list_roll_ups() -> Iterator[Case]:
    """Yield the roll-ups of an hour, and of a day, of some streams."""
    hour, day = back(days=12), back(days=12)
    for noun, keys in (("chat", ([ONE],)), ("reading", ([ONE], ["temp"]))):
        hours = (hour, hour + timedelta(hours=1), [hour], *keys)
        days = (day, day + timedelta(days=1), [day], *keys)
        yield case(f"{noun}_roll_ups.roll_up_{noun}_hours", *hours)
        yield case(f"{noun}_roll_ups.roll_up_{noun}_days", *days)


NO_ROWS: Final = "[]"
CURSOR: Final = (back(days=14), "m7-100")
KEY: Final = ("key-x", "k", "p", bytes(32), ["read"], None, "me", None)

ROUTE: Final[tuple[Any, ...]] = ("n", "webhook", True, "http://x", None, None, None, True, 10.0)
RULE: Final[tuple[Any, ...]] = (
    *("n", True, "*", "*", [], [], 0.0, 0.0, None, "info", [], 0.0, 0.0, ["route-1"], True),
)

ALERTS: Final = [
    case("alerts.list_due_groups", NOW, PAGE),
    case("alerts.find_next_due"),
    case("alerts.measure_alerts", "telemetra-alerts", PAGE, rows_max=4 * PAGE),
    case("alerts.list_past", back(days=7), PAGE, start=back(days=7), end=NOW),
    case("alerts.list_subjects", ["m7-100", "m8-100"], back(days=14), back(days=11), PAGE,
         start=back(days=45), end=NOW),
    case("alerts.list_of_streams", [ONE], back(days=7), ["flatline"], PAGE,
         rows_max=2 * PAGE, start=back(days=7), end=END),
    case("alerts.list_watches", ["m7-100"], PAGE),
    case("alerts.list_waiting", ["rule-1"], ["{}"], PAGE, PAGE),
    case("alerts.list_groups", ["rule-1"], ["group-7"], PAGE),
    case("alerts.upsert_watches", NO_ROWS, NOW),
    case("alerts.delete_watches", ["rule-1"], ["m7-100"]),
    case("alerts.upsert_groups", [], [], [], [], NOW),
    case("alerts.insert_deliveries", NO_ROWS, NOW),
    case("alerts.lease_beat", NOW, NOW, PAGE),
    case("alerts.list_told", "route-1", NOW, PAGE, rows_max=4 * PAGE),
    case("alert_routes.lock_changes", 1),
    case("alert_routes.count_routes"),
    case("alert_routes.has_name", "n", ""),
    case("alert_routes.insert_route", "route-x", *ROUTE, "me"),
    case("alert_routes.update_route", "route-1", *ROUTE),
    case("alert_routes.delete_route", "route-1"),
    case("alert_routes.end_deliveries", "route-1", rows_max=4 * PAGE),
    case("alert_routes.get_route", "route-1"),
    case("alert_routes.list_routes", None, PAGE),
    case("alert_routes.list_routes", "a", PAGE, note="next page"),
    case("alert_rules.count_rules"),
    case("alert_rules.has_name", "n", ""),
    case("alert_rules.find_missing", ["route-1", "x"]),
    case("alert_rules.list_users", "route-1", PAGE),
    case("alert_rules.insert_rule", "rule-x", *RULE, "me"),
    case("alert_rules.update_rule", "rule-1", *RULE),
    case("alert_rules.delete_rule", "rule-1"),
    case("alert_rules.get_rule", "rule-1"),
    case("alert_rules.list_rules", None, PAGE),
    case("alert_rules.list_rules", "a", PAGE, note="next page"),
    case("alert_rules.wake_groups", "rule-2", NOW),
    case("deliveries.list_waiting_routes", NOW, PAGE, rows_max=4 * PAGE),
    case("deliveries.count_attempts", "route-1", back(hours=1)),
    case("deliveries.lease_deliveries", "route-1", NOW, ["info"], 4, NOW, rows_max=10 * PAGE),
    case("deliveries.insert_attempts", ["dlv-7"], [9], "route-1", NOW),
    case("deliveries.end_attempt", "dlv-7", 1, NOW, "delivered", 200, None),
    case("deliveries.end_sending", "dlv-7", 1, "delivered", NOW, NOW, None),
    case("deliveries.insert_test", "dlv-x", "route-1", {}, NOW),
    case("deliveries.retry_delivery", "dlv-7", NOW),
    case("deliveries.notify"),
    case("deliveries.get_delivery", "dlv-7"),
    case("deliveries.list_attempts", "dlv-7", PAGE),
    case("deliveries.list_deliveries", None, None, None, None, None, None, PAGE),
    case("deliveries.list_deliveries", "failed", None, None, None, None, None, PAGE,
         note="that failed"),
    case("deliveries.list_deliveries", None, None, None, ["m-7"], None, None, PAGE,
         note="of a moment"),
    case("deliveries.list_deliveries", None, None, None, None, back(hours=100), "dlv-100", PAGE,
         note="next page"),
    case("deliveries.count_recent", back(days=7), back(days=1), PAGE, rows_max=8 * PAGE),
    case("deliveries.measure_routes", PAGE, rows_max=4 * PAGE),
]  # fmt: skip

CASES: Final = [
    *_list_spans(),
    *_list_recomputations(),
    *_list_roll_ups(),
    case("minutes.find_last_heard", ONE, rows_max=1),
    case("minutes.list_channels", ONE, back(days=1), PAGE, rows_max=4, start=back(days=1), end=NOW),
    case("moments.list_moments", None, BEGINNING, END, None, None, 0.0, None, None, PAGE, NOW,
         start=BEGINNING, end=END, note="newest of all"),
    case("moments.list_moments", ONE, START, STOP, None, None, 0.0, None, None, PAGE, NOW,
         rows_max=60, note="of a stream"),
    case("moments.list_moments", ONE, BEGINNING, END, None, None, 0.0, *CURSOR, PAGE, NOW,
         start=BEGINNING, end=CURSOR[0] + timedelta(hours=3), note="next page of a stream"),
    case("moments.list_moments", None, BEGINNING, END, None, None, 0.0, *CURSOR, PAGE, NOW,
         start=BEGINNING, end=CURSOR[0] + timedelta(hours=3), note="next page of all"),
    *(case("moments.list_moments", None, BEGINNING, END, None, state, 0.0, None, None, PAGE, NOW,
           rows_max=200, start=BEGINNING, end=END, filled={"stored": STORED[state]},
           note=f"{state} ones")
      for state in ("open", "acknowledged", "shelved", "resolved")),
    case("moments.list_moments", None, BEGINNING, END, "flatline", None, 0.0, None, None, PAGE,
         NOW, rows_max=200, start=BEGINNING, end=END, note="of a rare type"),
    case("moments.find_moment", "m7-100", start=BEGINNING, end=END),
    case("moments.find_shelf_end", None, NOW, start=BEGINNING, end=END),
    case("moments.find_shelf_end", ONE, NOW, start=BEGINNING, end=END, note="of a stream"),
    case("moment_lives.lock_moment", "m7-100", start=BEGINNING, end=END),
    case("moment_lives.update_life", "m7-100", back(days=14), "open", None, None, None, 1,
         start=back(days=45), end=NOW),
    case("moment_lives.insert_entry", "m7-100", 1, ONE, NOW, None, "me", "acknowledge",
         "acknowledged", None, False, None, None, rows_max=0),
    case("moment_lives.list_entries", "m7-100", PAGE),
    case("moment_lives.is_last_comment", "m7-100", "me", None, "seen"),
    *(case("deletions.find_owned", ONE, start=BEGINNING, end=END, filled={"table": table},
           note=f"in {table}")
      for table in (*AT_ONCE, *BY_CHUNK)),
    *(case("deletions.delete_rows", "no-such", start=BEGINNING, end=END, filled={"table": table},
           note=f"in {table}")
      for table in AT_ONCE),
    *(case("deletions.delete_part", "no-such", back(days=12), back(days=11),
           start=back(days=12), end=back(days=11),
           filled={"table": table, "time": time}, note=f"in {table}")
      for table, time in BY_CHUNK.items()),
    case("deletions.get_stream", ONE, rows_max=1),
    case("deletions.allow_time", "1000"),
    case("moments.list_open_moments", [ONE, "stream-0008"], BEGINNING, PAGE,
         start=BEGINNING, end=END),
    case("streams.list_streams", None, None, None, None, NOW, PAGE, 0,
         rows_max=3 * PAGE, start=back(hours=1), end=NOW),
    case("streams.list_streams", "stream-0010", None, None, None, NOW, PAGE, 0,
         rows_max=3 * PAGE, start=back(hours=1), end=NOW, note="next page"),
    # An hour of each of ten streams, and the newest minute of each.
    case("streams.list_overview", None, back(hours=1), NOW, PAGE,
         rows_max=700, start=back(hours=1), end=NOW),
    case("streams.list_overview", "stream-0007", NOW, NOW, PAGE,
         rows_max=2 * PAGE, start=back(hours=1), end=NOW, note="next page, no past"),
    case("streams.get_stream", ONE, rows_max=4, start=back(hours=1), end=NOW),
    case("streams.exists_stream", ONE, rows_max=1),
    case("streams.lock_stream", ONE, rows_max=1),
    case("streams.put_stream", "new", None, None, None),
    case("readings.list_readings", ONE, ["load", "temp"], back(days=9), back(days=2), END, PAGE, 7,
         rows_max=4 * PAGE, start=back(days=9), end=back(days=2)),
    case("readings.list_readings", ONE, ["load"], back(days=9), END, back(days=5), PAGE, 1,
         rows_max=2 * PAGE, start=back(days=9), end=back(days=4), note="next page"),
    case("readings.list_heard_channels", ONE, back(days=9), back(days=7), PAGE,
         rows_max=20, start=back(days=9), end=back(days=7)),
    case("transactions.list_transactions", ONE, None, None, back(days=9), back(days=2), END, PAGE,
         3, start=back(days=9), end=back(days=2)),
    case("transactions.list_transactions", ONE, "bits", "EUR", back(days=9), END, back(days=5),
         PAGE, 0, rows_max=3 * PAGE, start=back(days=9), end=back(days=4), note="next page"),
    case("moments.list_best_moments", ONE, START, STOP, PAGE, rows_max=60),
    case("transactions.sum_transactions", ONE, START, STOP, timedelta(hours=1), 20_000,
         rows_max=10_000),
    case("transactions.list_transaction_minutes", ONE, None, None, START, STOP, END, "", "", PAGE),
    case("transactions.list_transaction_minutes", ONE, None, None, START, END, back(days=12),
         "bits", "EUR", PAGE, note="next page"),
    case("api_keys.lock_changes", 1),
    case("api_keys.count_good"),
    case("api_keys.exists_any"),
    case("api_keys.insert_key", *KEY),
    case("api_keys.get_key", "key-7"),
    case("api_keys.replace_secret", "key-7", "new", bytes(32)),
    case("api_keys.revoke_key", "key-7"),
    case("api_keys.list_keys", None, None, PAGE),
    case("api_keys.list_keys", back(minutes=100), "key-100", PAGE, note="next page"),
    case("api_keys.list_good", PAGE),
    case("api_keys.stamp_good"),
    case("api_keys.note_uses", ["key-7"], [NOW]),
    case("detection.measure_chat", ONE, back(days=1), NOW, rows_max=PAGE, start=back(days=1),
         end=NOW),
    # A whole chunk: of less the planner may as well look at all ten streams.
    case("detection.measure_transactions", ONE, back(days=18), back(days=11, minutes=1), 10_000,
         rows_max=700, start=back(days=18), end=back(days=11)),
    case("detection.measure_channels", ONE, back(hours=1), NOW, PAGE, back(days=1), rows_max=16,
         start=back(days=1), end=NOW),
    case("tunings.lock_changes", 1),
    case("tunings.count_tunings", rows_max=400),
    case("tunings.find_same", "stream-7", "*", "tun-8", rows_max=1),
    case("tunings.insert_tuning", "new", "new", "*", None, 2.0, None, None, None, None, None, "me"),
    case("tunings.replace_tuning", "tun-7", "new", "*", None, 2.0, None, None, None, None, None,
         "me"),
    case("tunings.delete_tuning", "tun-7"),
    case("tunings.get_tuning", "tun-7", rows_max=1),
    case("tunings.list_tunings", None, None, PAGE),
    case("tunings.list_tunings", "stream-100", "*", PAGE, note="next page"),
    case("tunings.list_rules", 1000, rows_max=400),
    case("tunings.stamp_rules", rows_max=400),
    *SPEECH,
    case("boards.lock_changes", 1),
    case("boards.count_boards", rows_max=200),
    case("boards.find_namesake", "board-7", "brd-8", rows_max=1),
    case("boards.insert_board", "new", "new", 7200, [], "me"),
    case("boards.replace_board", "brd-7", "new", 7200, [], "me"),
    case("boards.delete_board", "brd-7"),
    case("boards.get_board", "brd-7", rows_max=1),
    case("boards.list_boards", None, PAGE),
    case("boards.list_boards", "board-100", PAGE, note="next page"),
    case("audit_log.insert_entry", None, "me", "key.create", "x", None, None),
    case("audit_log.list_entries", None, PAGE),
    case("audit_log.list_entries", 1000, PAGE, note="next page"),
    case("dead_letters.list_waiting", None, None, -1, -1, PAGE),
    case("dead_letters.list_waiting", None, None, 1000, 3, PAGE, note="next page"),
    case("dead_letters.count_waiting", None, None, rows_max=250),
    case("dead_letters.mark_replayed", 1, 1),
    case("dead_letters.lock_letter", 1, 1),
    case("dead_letters.find_letter", 1, 1, 100),
    case("dead_letters.list_letters", BEGINNING, END, None, None, None, END, 0, 0, PAGE),
    case(
        "dead_letters.list_letters",
        *(START, STOP, "reason", None, False, STOP, 3, 1000, PAGE),
        note="next page of a week",
    ),
    case("dead_letters.count_by_reason", START, STOP, PAGE, rows_max=4 * PAGE),
    case("dead_letters.count_by_time", START, STOP, "day", PAGE, rows_max=4 * PAGE),
    case("retention.delete_late_events", back(days=34), PAGE, rows_max=4 * PAGE),
    case("retention.delete_dead_letters", back(days=200), PAGE, rows_max=4 * PAGE),
    case("retention.delete_moment_changes", back(days=400), PAGE),
    case("retention.delete_deliveries", back(days=200), PAGE, rows_max=4 * PAGE),
    case("retention.delete_alert_watches", back(days=400), PAGE),
    case("retention.delete_alert_groups", back(days=400), PAGE),
    case("retention.get_license"),
    case("moment_changes.note_changes", ["m7-100"], [NOW]),
    case("moment_changes.list_changes", PAGE),
    case("moment_changes.delete_changes", [1, 2]),
    case("moment_changes.measure_changes", PAGE),
    *ALERTS,
    *SESSIONS,
    case("commits.lock_offsets", [3, 1]),
    case("commits.update_offsets", [3, 1], [5, 5]),
    case("commits.upsert_streams", NO_ROWS),
    case("commits.upsert_chat", NO_ROWS, [ONE]),
    case("commits.upsert_readings", NO_ROWS, [ONE]),
    case("commits.upsert_transactions", NO_ROWS, [ONE]),
    case("moments.upsert_moments", NO_ROWS),
    case("commits.insert_late", NO_ROWS),
    case("commits.insert_dead_letters", [], [], [], [], [], []),
    case("recomputations.list_offsets", 16),
    case("recomputations.lock_late", NOW),
    case("recomputations.lock_shards"),
    case("recomputations.upsert_chat", NO_ROWS),
    case("recomputations.upsert_readings", NO_ROWS),
    case("recomputations.upsert_transactions", NO_ROWS),
    case("recomputations.mark_applied", NO_ROWS),
    *(case(query, *parameters, **more) for query, parameters, more in device_cases.CASES),
]  # fmt: skip

NOT_PLANNED: Final = {
    **device_cases.NOT_PLANNED,
    "chat_roll_ups.use_custom_plans": "sets a parameter",
    "databases.describe_database": "asks the server about itself",
    "databases.list_clients": "asks the server about itself",
    "deletions.list_chunks": "asks the catalogue of TimescaleDB",
    "retention.limit_waiting": "sets a parameter",
    "retention.drop_chunks": "drops tables and reads none",
    "retention.enable_viewer_timeseries": "changes a table",
    "retention.enable_readings": "changes a table",
    "retention.enable_transactions": "changes a table",
    "retention.add_columnstore_policy": "is of the community edition",
    "retention.remove_retention_policy": "is of the community edition",
    "retention.add_retention_policy": "is of the community edition",
}


@asynccontextmanager
async def _connecting(url: str) -> AsyncIterator[asyncpg.Connection]:
    # As the API's connections are.
    settings = {"plan_cache_mode": "force_custom_plan"}
    connection = await asyncpg.connect(url, server_settings=settings)
    try:
        await prepare_connection(connection)
        yield connection
    finally:
        await connection.close()


async def _fill(url: str) -> dict[str, Chunk]:
    async with _connecting(url) as connection:
        for statement in FILL:
            await connection.execute(statement)
        return await list_chunks(connection)


@pytest.fixture(scope="module")
def filled(server_url: str, template: str) -> Iterator[tuple[str, dict[str, Chunk]]]:
    """A database whose tables lie in many chunks, and the chunks; nobody changes it."""
    name = f"plans_{secrets.token_hex(6)}"
    run_apart(execute(server_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    url = name_database(server_url, name)
    try:
        yield url, run_apart(_fill(url))
    finally:
        run_apart(execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))


def test_every_statement_has_a_case_or_a_reason_to_have_none():
    assert {each.query for each in CASES} | set(NOT_PLANNED) == set(STATEMENTS)
    assert {each.query for each in CASES}.isdisjoint(NOT_PLANNED)


def test_no_statement_leaves_anything_on_its_connection():
    # The pool does not reset a connection that it takes back.
    bodies = {name: text.split("*/", 1)[1].strip() for name, text in STATEMENTS.items()}
    parameters = {name for name, body in bodies.items() if re.match(r"(--.*\n)*SET ", body)}
    assert parameters == {"chat_roll_ups.use_custom_plans", "retention.limit_waiting"}
    assert all("SET LOCAL " in bodies[name] for name in parameters)
    assert [
        name for name, body in bodies.items() if re.search(r"pg_(try_)?advisory_lock", body)
    ] == []


def test_the_tables_lie_in_many_chunks(filled: tuple[str, dict[str, Chunk]]):
    _, chunks = filled
    per_table: dict[str, int] = {}
    for chunk in chunks.values():
        per_table[chunk.hypertable] = per_table.get(chunk.hypertable, 0) + 1
    assert min(per_table.values()) >= 3, per_table
    assert len(per_table) == 11


@pytest.mark.parametrize("wanted", CASES, ids=str)
async def test_a_statement_touches_only_what_it_needs(
    filled: tuple[str, dict[str, Chunk]], wanted: Case
):
    url, chunks = filled
    async with _connecting(url) as connection:
        scans = await list_scans(connection, wanted.text, *wanted.parameters)
    touched = {scan.relation: chunks[scan.relation] for scan in scans if scan.relation in chunks}
    outside = [
        name
        for name, chunk in touched.items()
        if chunk.end <= wanted.start or chunk.start >= wanted.end
    ]
    assert outside == [], "chunks outside of the range asked for"
    assert _list_whole(scans, chunks) == [], "read as a whole"
    assert sum(scan.rows for scan in scans) <= wanted.rows_max, scans


def _list_whole(scans: list[Scan], chunks: dict[str, Chunk]) -> list[str]:
    """Return the tables of some size that were read from end to end."""
    return [
        scan.relation
        for scan in scans
        if scan.kind == "Seq Scan"
        and (scan.relation not in chunks or chunks[scan.relation].rows > SMALL_ROWS)
        and scan.rows > SMALL_ROWS
    ]
