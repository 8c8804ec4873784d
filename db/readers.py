"""Readers: a role that reads what dashboards show, and can do nothing else.

    READER_PASSWORD ─► python -m db.migrate ─► telemetra_reader ─► Grafana

Whoever may edit a panel may send any SQL, so that the database itself has to refuse the rest. A
table or a column can be read when ``READABLE`` names it: one that a later migration adds is closed
until then. Keys, routes and their secrets, the audit log, raw events and who wrote them are not
there.
"""

import hashlib
import hmac
import secrets
from base64 import b64encode
from typing import Final

import asyncpg

from core.errors import SettingsInvalidError

READER: Final = "telemetra_reader"

CONNECTIONS_MAX: Final = 20
"""Of the hundred that the server has; Grafana opens ten."""

STATEMENT_TIMEOUT_S: Final = 30
"""A panel that takes longer is looked at by nobody, and reads what everybody waits for."""

IDLE_TIMEOUT_S: Final = 60
"""A transaction that is left open keeps old rows from being cleaned away."""

READABLE: Final[dict[str, tuple[str, ...]]] = {
    "streams": ("stream_id", "title", "kind", "created_at", "updated_at", "last_event_at"),
    "chat_summary_minute": (),
    "chat_summary_hour": (),
    "chat_summary_day": (),
    "reading_summary_minute": (),
    "reading_summary_hour": (),
    "reading_summary_day": (),
    "transaction_summary_minute": (),
    # Without the words of people, which may be among its reasons.
    "moments": (
        *("moment_id", "timestamp", "stream_id", "started_at", "peak_at", "ended_at"),
        *("moment_type", "metric_name", "metric_value", "expected", "threshold", "z_score"),
        *("score", "direction", "state", "former_state", "shelved_until", "description"),
    ),
    "late_events": (),
    # Without the bytes of what could not be read.
    "dead_letters": ("shard", "batch_offset", "arrived_at", "reason", "replayed_at"),
    # Without what was told, and to whom.
    "deliveries": ("delivery_id", "severity", "state", "is_test", "created_at", "done_at"),
}
"""Tables with the columns that may be read; none named means all of them."""

_SCRAM_ROUNDS: Final = 4096
"""As the server itself does it."""

_EXISTS: Final = "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)"
_READS_ALL: Final = "SELECT pg_has_role($1, 'pg_read_all_data', 'MEMBER')"
_NAME_DATABASE: Final = "SELECT quote_ident(current_database())"
_LOCK: Final = "SELECT pg_advisory_xact_lock($1)"
_LOCK_ID: Final = 0x7E1E3E7B
"""Two migrations that end at once change the role one after the other."""


async def provide_reader(url: str, password: str) -> None:
    """Make the role, or bring its password, limits and rights up to date.

    Raises:
        SettingsInvalidError: The role of the URL may not make roles.
    """
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await _provide(connection, password)
    except asyncpg.InsufficientPrivilegeError as error:
        raise SettingsInvalidError(
            "READER_PASSWORD is set, and the role that owns the tables may not make others. "
            "Let an administrator give it CREATEROLE, or unset READER_PASSWORD."
        ) from error
    finally:
        await connection.close()


async def _provide(connection: asyncpg.Connection, password: str) -> None:
    await connection.execute(_LOCK, _LOCK_ID)
    if not await connection.fetchval(_EXISTS, READER):
        await connection.execute(f"CREATE ROLE {READER}")
    if await connection.fetchval(_READS_ALL, READER):
        await connection.execute(f"REVOKE pg_read_all_data FROM {READER}")
    database = await connection.fetchval(_NAME_DATABASE)
    for statement in (*_limit(_write_verifier(password)), *_grant(database)):
        await connection.execute(statement)


def _limit(verifier: str) -> list[str]:
    """Return what says who the role is and how much it may take."""
    return [
        f"ALTER ROLE {READER} LOGIN CONNECTION LIMIT {CONNECTIONS_MAX} PASSWORD '{verifier}'",
        f"ALTER ROLE {READER} SET default_transaction_read_only = on",
        f"ALTER ROLE {READER} SET statement_timeout = '{STATEMENT_TIMEOUT_S}s'",
        f"ALTER ROLE {READER} SET idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s'",
    ]


def _grant(database: str) -> list[str]:
    """Return what takes every right away and gives those that are meant."""
    return [
        f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {READER}",
        f"GRANT CONNECT ON DATABASE {database} TO {READER}",
        f"GRANT USAGE ON SCHEMA public TO {READER}",
        *(
            f"GRANT SELECT {_name_columns(columns)} ON {table} TO {READER}"
            for table, columns in READABLE.items()
        ),
    ]


def _name_columns(columns: tuple[str, ...]) -> str:
    return f"({', '.join(columns)})" if columns else ""


def _write_verifier(password: str) -> str:
    """Return what the server needs to know of a password; the word itself gets into no log."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _SCRAM_ROUNDS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = (b64encode(part).decode() for part in (salt, stored, server))
    return "SCRAM-SHA-256${}:{}${}:{}".format(_SCRAM_ROUNDS, *parts)
