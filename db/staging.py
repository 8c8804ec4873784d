"""Staging: frames on their way into tables.

    frame -> CSV in one call -> COPY -> staged_chat -> INSERT … SELECT … ON CONFLICT -> minutes

The staged tables are temporary, made once for a connection and empty after each transaction. Lists
and objects are written as PostgreSQL's own text by columns, not row by row.
"""

import io
from typing import Final

import polars as pl

from db.pool import Connection
from db.queries import load_queries

SQL: Final = load_queries("staging")

_TIMES: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
_JSON_HEAD: Final = len('{"e":')


async def prepare_staging(connection: Connection) -> None:
    """Make the staged tables of a connection; not inside a transaction that may be undone."""
    for statement in SQL.values():
        await connection.execute(statement)


async def stage(connection: Connection, table: str, rows: pl.DataFrame) -> None:
    """Put rows into a staged table."""
    await copy_rows(connection, table, rows, schema="pg_temp")


async def copy_rows(
    connection: Connection, table: str, rows: pl.DataFrame, *, schema: str = "public"
) -> None:
    """Append rows to a table whose columns have the names of theirs."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False, quote_style="non_numeric", datetime_format=_TIMES)
    buffer.seek(0)
    await connection.copy_to_table(
        table, schema_name=schema, source=buffer, columns=rows.columns, format="csv"
    )


def write_emotes(chat: pl.DataFrame) -> pl.DataFrame:
    """Return chat rows with ``top_emotes`` as the text of an array and ``emote_counts`` as JSON."""
    numbered = chat.with_row_index("row")
    used = numbered.select("row", "top_emotes").explode("top_emotes", empty_as_null=True)
    used = used.drop_nulls().unnest("top_emotes")
    counted = pl.col("json") + ":" + pl.col("count").cast(pl.String)
    texts = (
        used.join(_write_names(used), on="emote", how="left", maintain_order="left")
        .group_by("row", maintain_order=True)
        .agg(
            top_emotes="{" + pl.col("quoted").str.join(",") + "}",
            emote_counts="{" + counted.str.join(",") + "}",
        )
    )
    return (
        numbered.drop("top_emotes")
        .join(texts, on="row", how="left", maintain_order="left")
        .with_columns(pl.col("top_emotes", "emote_counts").fill_null("{}"))
        .drop("row")
    )


def _write_names(used: pl.DataFrame) -> pl.DataFrame:
    """Return each emote once: as a JSON string, and as an element of an array's text."""
    name = pl.col("emote")
    escaped = name.str.replace_all("\\", "\\\\", literal=True).str.replace_all(
        '"', '\\"', literal=True
    )
    # Polars has no function for one JSON string; an object of one field has it inside.
    encoded = pl.struct(e=name).struct.json_encode().str.slice(_JSON_HEAD).str.head(-1)
    return used.select(name.unique()).with_columns(json=encoded, quoted='"' + escaped + '"')
