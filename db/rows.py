"""Rows: frames on their way into tables, as text that is written by columns.

    frame -> JSON in one call -> one parameter -> json_to_recordset -> INSERT … ON CONFLICT
    frame -> CSV in one call -> COPY

One parameter a statement: nothing is left on the connection. Lists and objects within a row are
written as PostgreSQL's own text, which it reads faster than it can take JSON apart in SQL.
"""

import io
from typing import Final

import polars as pl
import polars.selectors as cs

from db.pool import Connection

_TIMES: Final = "%Y-%m-%dT%H:%M:%S%.6fZ"
_JSON_HEAD: Final = len('{"e":')


def write_rows(rows: pl.DataFrame) -> str:
    """Return rows as JSON that ``json_to_recordset`` reads."""
    return rows.with_columns(cs.datetime().dt.strftime(_TIMES)).write_json()


async def copy_rows(connection: Connection, table: str, rows: pl.DataFrame) -> None:
    """Append rows to a table whose columns have the names of theirs."""
    buffer = io.BytesIO()
    rows.write_csv(buffer, include_header=False, quote_style="non_numeric", datetime_format=_TIMES)
    buffer.seek(0)
    await connection.copy_to_table(table, source=buffer, columns=rows.columns, format="csv")


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
