"""Scores of a file: ``telemetra score FILE.csv --out SCORES.csv``.

    timestamp,value -> the default detector, from the first row to the last -> timestamp,value,score

One row out for each row in, as it was written; no row is judged by any behind it. A score of 1.0
and above is anomalous. Exit code 1 where the file cannot be read.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl

from core.errors import InvalidError, TelemetraError
from core.event_times import read_times
from core.times import EPOCH
from core.verdicts import Asked
from streaming.detect.novelties import Novelties

COLUMNS: Final = ("timestamp", "value")


def score_rows(rows: pl.DataFrame) -> pl.Series:
    """Return the score of each row of ``timestamp`` and ``value``, both as texts.

    Raises:
        InvalidError: A time is none.
    """
    times = read_times(rows["timestamp"], EPOCH)
    unread = times.is_null() | rows["timestamp"].is_null()
    if unread.any():
        row = int(unread.arg_max() or 0)
        raise InvalidError(f"Row {row + 1} has no time that can be read: {rows['timestamp'][row]}.")
    asked = Asked(
        np.zeros(rows.height, np.int64),
        times.dt.epoch("s").to_numpy(),
        # What is no number is a gap.
        rows["value"].str.strip_chars().cast(pl.Float64, strict=False).fill_null(np.nan).to_numpy(),
    )
    return pl.Series("score", Novelties().update(asked).scores)


def read_rows(path: Path) -> pl.DataFrame:
    """Return the columns of a file as texts.

    Raises:
        InvalidError: It cannot be read, or lacks one of them.
    """
    try:
        rows = pl.read_csv(path, infer_schema=False)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise InvalidError(f"{path} cannot be read as CSV: {error}") from None
    if missing := [name for name in COLUMNS if name not in rows.columns]:
        raise InvalidError(
            f"{path} has no column {' and no column '.join(missing)};"
            f" it has {', '.join(rows.columns)}."
        )
    return rows.select(COLUMNS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Score a file; return the exit code."""
    parser = argparse.ArgumentParser(
        prog="telemetra score",
        description="Score each row of a series by how unusual it is; 1.0 and above is anomalous.",
        epilog="example: telemetra score taxi.csv --out scores.csv",
    )
    parser.add_argument("file", type=Path, help="CSV with the columns timestamp and value")
    parser.add_argument("--out", type=Path, help="where the scores go (the standard output)")
    options = parser.parse_args(arguments)
    try:
        rows = read_rows(options.file)
        scored = rows.with_columns(score_rows(rows))
        scored.write_csv(options.out or sys.stdout.buffer)
    except (TelemetraError, OSError) as error:
        sys.stderr.write(f"telemetra score: {getattr(error, 'detail', error)}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
