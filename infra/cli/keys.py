"""``telemetra keys create|list|rotate|revoke``: who may come in.

Changes go straight to the database, so that the first key can be made before anything listens and
a lost one replaced by whoever has the machine. A running API notices within a second.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, Final, TypeVar

import asyncpg
import orjson
import typer
from rich import box
from rich.console import Console
from rich.table import Table

from core.clock import SystemClock
from core.errors import DatabaseAwayError, InvalidError, ServiceMissingError
from core.keys import Caller, Scope, find_wrong_grant, make_secret
from core.settings import load_settings
from db.api_keys import KeyStore, Row
from db.pool import AWAY, CONNECT_TIMEOUT_S, prepare_connection
from infra.cli.processes import find_urls
from infra.supervisor.states import find_running

app = typer.Typer(rich_markup_mode=None)
keys = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(keys, name="keys")

ACTOR: Final = Caller("command line", frozenset({Scope.ADMIN}))

LISTED_MAX: Final = 1000
NAME_LENGTH_MAX: Final = 100
DAYS_MAX: Final = 36_500

T = TypeVar("T")

KeyId = Annotated[str, typer.Argument(help="key_…, as `telemetra keys list` shows it.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@keys.callback()
def describe() -> None:
    """Make, list, replace and revoke API keys.

    Example: telemetra keys create "hall dashboard" --scope read
    """


@keys.command()
def create(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    *,
    scope: Annotated[list[Scope], typer.Option(help="What it allows; more than once for more.")],
    stream: Annotated[
        list[str] | None, typer.Option(help="Only these streams; * for any part of a name.")
    ] = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=DAYS_MAX, help="Good for so long; else for ever.")
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and show it this once.

    Example: telemetra keys create "bench 7" --scope ingest --stream "bench-07*" --days 90
    """
    if not 0 < len(name.strip()) <= NAME_LENGTH_MAX or "\0" in name:
        raise InvalidError(f"The name has 1 to {NAME_LENGTH_MAX} characters.")
    if (wrong := find_wrong_grant(scope, stream or None)) is not None:
        raise InvalidError(wrong)
    secret = make_secret()

    async def insert(store: KeyStore) -> Row:
        return await store.insert(
            secret,
            name=name.strip(),
            scopes=scope,
            streams=stream or None,
            expires_at=SystemClock().now() + timedelta(days=days) if days else None,
            actor=ACTOR,
        )

    _print_secret(_run(insert), secret.text, json=json)


@keys.command("list")
def list_keys(*, json: Json = False) -> None:
    """List keys, newest first, without their secrets.

    Example: telemetra keys list --json
    """
    rows = _run(lambda store: store.list_keys(after=None, limit=LISTED_MAX))
    if json:
        typer.echo(orjson.dumps(rows, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for title in ("id", "name", "scopes", "streams", "state", "last used"):
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*_describe(row))
    Console().print(table)


@keys.command()
def rotate(key_id: KeyId, *, json: Json = False) -> None:
    """Give a key another secret and show it this once; the one before stops within a second.

    Example: telemetra keys rotate key_0123456789abcdef
    """
    secret = make_secret()
    row = _run(lambda store: store.rotate(key_id, secret, actor=ACTOR))
    _print_secret(row, secret.text, json=json)


@keys.command()
def revoke(key_id: KeyId) -> None:
    """Let a key open nothing any more, within a second, open sockets included.

    Example: telemetra keys revoke key_0123456789abcdef
    """
    row = _run(lambda store: store.revoke(key_id, actor=ACTOR))
    typer.echo(f"{row['key_id']} ({row['name']}) is revoked.")


def _run(change: Callable[[KeyStore], Awaitable[T]]) -> T:
    settings = load_settings()
    found = find_urls(settings, find_running(settings.data_dir))
    url = found.get("DATABASE_URL") or settings.require_database_url()
    return asyncio.run(_connect_and_run(url, change))


async def _connect_and_run(url: str, change: Callable[[KeyStore], Awaitable[T]]) -> T:
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_TIMEOUT_S)
        try:
            await prepare_connection(connection)
            return await change(KeyStore(connection))
        finally:
            await connection.close()
    except AWAY as error:
        raise DatabaseAwayError("The database does not answer. `telemetra status`?") from error
    except asyncpg.UndefinedTableError as error:
        raise ServiceMissingError("The database has no keys yet: `telemetra migrate`.") from error


def _print_secret(row: Row, text: str, *, json: bool) -> None:
    if json:
        shown: dict[str, Any] = {**row, "key": text}
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2 | orjson.OPT_UTC_Z))
        return
    typer.echo(text)
    typer.echo(f"{row['key_id']} ({row['name']}). It is not shown again.", err=True)


def _describe(row: Row) -> tuple[str, ...]:
    now = SystemClock().now()
    state = "good"
    if row["revoked_at"] is not None:
        state = "revoked"
    elif row["expires_at"] is not None:
        state = f"{'good until' if now < row['expires_at'] else 'ended'} {row['expires_at']:%F}"
    used = row["last_used_at"]
    return (
        row["key_id"],
        row["name"],
        " ".join(row["scopes"]),
        " ".join(row["streams"] or ("all",)),
        state,
        "never" if used is None else f"{used:%F %H:%M}",
    )
