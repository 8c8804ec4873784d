"""Tables: rows of other people's tables into raw events, by a layout.

    rows + Layout (``core.layouts``) -> raw events -> ``core.events.check_events``

What cannot be read stays in a form that no rule lets through, so that its row is named. Nothing
here loops over rows. Columns are other people's and asked for by ``by_name``: ``pl.col`` would take
a name like ``*`` for a pattern. Used by ``streaming.connectors.files``.
"""

from collections.abc import Sequence
from typing import Final

import polars as pl
from polars.selectors import by_name

from core.events import RAW_SCHEMA, TIMESTAMP
from core.layouts import LISTS, Layout

ROW: Final = "\x00row"
"""The column of rows' numbers; nobody calls a column of theirs so."""

_ZONELESS: Final = (
    "%Y-%m-%dT%H:%M:%S%.f",
    "%Y-%m-%d %H:%M:%S%.f",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d",
)
"""Times that a zone of the command line can be put to."""

_NUMBERS: Final = tuple(name for name, kind in RAW_SCHEMA.items() if kind.is_numeric())


def apply_layout(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Return raw events and their rows; a row with several channels becomes as many events.

    Args:
        rows: The columns in use, and ``ROW``, a number that rises.
        layout: Which column is what.
    """
    fields = [
        _read_field(name, by_name(column).as_expr(), rows.schema[column], layout).alias(name)
        for name, column in layout.columns.items()
        if name not in layout.constants and not (layout.wide and name in {"value", "channel"})
    ]
    constants = [pl.lit(text).alias(name) for name, text in layout.constants.items()]
    time = _name_lost_times(rows.select(timestamp=_read_time(rows, layout))["timestamp"])
    kept = [pl.col(ROW), pl.lit(time), *fields, *constants]
    return _unpivot(rows, kept, layout) if layout.wide else rows.select(kept)


def _unpivot(rows: pl.DataFrame, kept: Sequence[pl.Expr], layout: Layout) -> pl.DataFrame:
    """Return an event for each cell of the wide columns, row by row."""
    has_texts = any(rows.schema[column] == pl.String for column in layout.wide)
    kind = pl.String() if has_texts else pl.Float64()
    # Marked, so that a column may be called like a field of events.
    wide = [by_name(column).cast(kind).alias(f"\x00{name}") for column, name in layout.wide.items()]
    cells = rows.select(kept).hstack(rows.select(wide))
    names = [f"\x00{name}" for name in layout.wide.values()]
    index = [name for name in cells.columns if name not in names]
    return (
        cells.unpivot(names, index=index, variable_name="channel", value_name="cell")
        # An empty cell is no reading; one that is no number is named as such.
        .filter(_is_filled(kind))
        .with_columns(
            channel=pl.col("channel").str.slice(1),
            value=_read_number(pl.col("cell"), kind, layout),
        )
        .drop("cell")
        .sort(ROW, maintain_order=True)
    )


def _is_filled(kind: pl.DataType) -> pl.Expr:
    cell = pl.col("cell")
    is_empty = cell.str.strip_chars() == "" if kind == pl.String else pl.lit(value=False)
    return cell.is_not_null() & ~is_empty


def _read_field(name: str, column: pl.Expr, kind: pl.DataType, layout: Layout) -> pl.Expr:
    if name in LISTS:
        # In a table a list is a text with its items between spaces.
        return column.str.split(" ") if kind == pl.String else column
    if name in _NUMBERS:
        return _read_number(column, kind, layout).cast(RAW_SCHEMA[name], strict=False)
    return column.cast(pl.String)


def _read_number(column: pl.Expr, kind: pl.DataType, layout: Layout) -> pl.Expr:
    if kind == pl.String:
        if layout.has_decimal_commas:
            column = column.str.replace(",", ".", literal=True)
        column = column.str.strip_chars()
    return column.cast(pl.Float64, strict=False)


def _read_time(rows: pl.DataFrame, layout: Layout) -> pl.Expr:
    """Read the time; what is no time stays a text that no rule takes for one."""
    time = pl.concat_str([by_name(name).cast(pl.String) for name in layout.times], separator=" ")
    kind = rows.schema[layout.times[0]]
    if len(layout.times) == 1 and kind.is_temporal():
        return _place_zone(by_name(layout.times[0]).cast(_keep_zone(kind)), kind, layout)
    if layout.time_format is not None:
        has_zone = "%z" in layout.time_format or "%#z" in layout.time_format
        read = time.str.to_datetime(layout.time_format, time_unit="us", strict=False)
        return read.cast(TIMESTAMP) if has_zone else _place_zone(read, pl.Datetime("us"), layout)
    if layout.zone is not None:
        forms = [time.str.to_datetime(form, time_unit="us", strict=False) for form in _ZONELESS]
        zoned = time.str.to_datetime("%+", time_unit="us", time_zone="UTC", strict=False)
        return pl.coalesce(_place_zone(pl.coalesce(forms), pl.Datetime("us"), layout), zoned)
    return time.str.strip_chars().fill_null("")


def _name_lost_times(times: pl.Series) -> pl.Series:
    """Let a time that could not be read be none to the rules too: without one, it would be now."""
    if times.dtype == pl.String or not times.null_count():
        return times
    return times.dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ").fill_null("")


def _keep_zone(kind: pl.DataType) -> pl.DataType:
    return pl.Datetime("us", kind.time_zone if isinstance(kind, pl.Datetime) else None)


def _place_zone(time: pl.Expr, kind: pl.DataType, layout: Layout) -> pl.Expr:
    """Read a time without a zone in the layout's one; of an hour that comes twice the first."""
    if isinstance(kind, pl.Datetime) and kind.time_zone is not None:
        return time.cast(TIMESTAMP)
    return time.dt.replace_time_zone(
        layout.zone or "UTC", ambiguous="earliest", non_existent="null"
    ).cast(TIMESTAMP)
