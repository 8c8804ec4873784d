"""Arrow events: a stream of record batches into columns of raw events.

    stream -> ``core.arrow_streams`` looks at its claims -> Polars -> each column as ``RAW_SCHEMA``

Types that mean the same are taken for one another: texts of any width or by dictionary, numbers of
any width, times of any unit and zone. A column of another type refuses the whole body by its name,
since every row would be wrong; a value that does not fit refuses its row. Unknown columns are not
even read. Used by the ingest door.
"""

import io
from typing import Final

import polars as pl

from core.arrow_streams import list_columns
from core.errors import BadRequestError, FieldError, TooLargeError
from core.events import RAW_SCHEMA, SCHEMA, RejectedRow

BYTES_MAX: Final = 16_000_000
"""How large the plain columns may be, where nothing else is said."""

Rows = tuple[pl.DataFrame, list[RejectedRow]]


def read_arrow(stream: bytes, *, bytes_max: int = BYTES_MAX) -> Rows:
    """Return the rows of a stream with their numbers, from 0, and those that do not fit.

    Raises:
        BadRequestError: It is no whole stream, or a column has a type that cannot be taken.
        TooLargeError: It holds more than it may.
    """
    named = [name for name in list_columns(stream, bytes_max=bytes_max) if name in RAW_SCHEMA]
    if not named:
        raise BadRequestError("The stream has none of the columns of an event.")
    frame = _read(stream, named)
    _require_kinds(frame)
    columns = [_cast(frame[name]) for name in named if frame[name].dtype != pl.Null()]
    if sum(map(_measure, columns)) > bytes_max:
        raise TooLargeError(
            f"The texts of the stream are over the limit of {bytes_max // 1_000_000} MB."
            " Send it in parts; nothing of it was taken."
        )
    return _put_aside(frame, pl.DataFrame(columns))


def _read(stream: bytes, names: list[str]) -> pl.DataFrame:
    try:
        return pl.read_ipc_stream(io.BytesIO(stream), columns=names).rechunk()
    # Damaged bytes may make the reader panic, which is no Exception.
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, ValueError, OSError) as error:
        words = str(error).partition("\n")[0][:200] or type(error).__name__
        raise BadRequestError(f"The body is no Arrow stream: {words}.") from None


def _require_kinds(frame: pl.DataFrame) -> None:
    wrong = [
        FieldError(name, f"is a column of {_say(kind)}, and {_WANTED[SCHEMA[name].base_type()]}")
        for name, kind in frame.schema.items()
        if not _is_fit(name, kind)
    ]
    if wrong:
        detail = "; ".join(f"{error.field} {error.reason}" for error in wrong)
        raise BadRequestError(f"{detail}. Nothing was taken.", errors=wrong)


_WANTED: Final = {
    pl.Datetime: "times are wanted, or epochs, or texts",
    pl.String: "texts are wanted",
    pl.List: "lists of texts are wanted",
    pl.Float64: "numbers are wanted",
    pl.Int64: "whole numbers are wanted",
}


def _say(kind: pl.DataType) -> str:
    return str(kind).partition("(")[0]


def _is_fit(name: str, kind: pl.DataType) -> bool:
    if kind == pl.Null():
        return True
    if name == "timestamp":
        return _is_text(kind) or kind.is_float() or isinstance(kind, pl.Datetime | pl.Date)
    wanted = RAW_SCHEMA[name]
    if isinstance(wanted, pl.List):
        inner = getattr(kind, "inner", None)
        return inner is not None and (_is_text(inner) or inner == pl.Null())
    return kind.is_numeric() if wanted.is_numeric() else _is_text(kind)


def _is_text(kind: pl.DataType) -> bool:
    """Whether something is text, or a whole number, which is the text of its digits."""
    return kind == pl.String() or isinstance(kind, pl.Categorical | pl.Enum) or kind.is_integer()


def _cast(column: pl.Series) -> pl.Series:
    kind = RAW_SCHEMA[column.name]
    if column.name == "timestamp" and (column.dtype.is_numeric() or column.dtype.is_temporal()):
        return column
    if kind == pl.Int64() and column.dtype.is_float():
        # What other tools make of whole numbers where some are missing.
        column = column.set((column != column.floor()).fill_null(value=False), None)
    return column.cast(kind, strict=False)


def _measure(column: pl.Series) -> int:
    """Return how many bytes the texts of a column are: many may be one and the same in a stream."""
    if isinstance(column.dtype, pl.List):
        column = column.explode()
    return int(column.str.len_bytes().sum()) if column.dtype == pl.String() else 0


def _put_aside(given: pl.DataFrame, taken: pl.DataFrame) -> Rows:
    """Refuse the rows that lost a value on the way."""
    rows = taken.with_row_index("index")
    rejected: dict[int, RejectedRow] = {}
    for column in taken:
        if column.null_count() == given[column.name].null_count():
            continue
        is_lost = column.is_null() & given[column.name].is_not_null()
        reason = f"{column.name} is not a whole number of 64 bits"
        rejected |= {
            index: RejectedRow(index, reason, column.name)
            for index in rows["index"].filter(is_lost).to_list()
        }
    if rejected:
        rows = rows.filter(~pl.col("index").is_in(list(rejected)))
    return rows, sorted(rejected.values(), key=lambda row: row.index)
