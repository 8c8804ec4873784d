"""Transaction minutes: what one kind of transactions, in one currency, did in one minute.

frame -> reduce_transactions -> partial -> TransactionMinutes.add -> build -> full rows
"""

from typing import Final

import numpy as np
import polars as pl

from core.minutes import MINUTE_US, find_minutes, find_series, start_minutes, to_times
from core.names import Series
from core.open_minutes import BOOKKEEPING, Wanted, touch
from core.rows import Bools, Ints, Rows

CURRENCY_LENGTH_MAX: Final = 32
"""Letters of a currency that tell it from others; the names of real ones are much shorter."""


def name_currency(currency: pl.Expr) -> pl.Expr:
    """Build the currency that transactions are counted under, empty when there is none."""
    return currency.str.head(CURRENCY_LENGTH_MAX).fill_null("")


def reduce_transactions(transactions: pl.DataFrame) -> pl.DataFrame:
    """Reduce transactions, with ``key`` and ``offset``, to one row a key."""
    return (
        transactions.group_by("key")
        .agg(
            count=pl.len().cast(pl.Int64),
            sum=pl.col("amount").sum(),
            revision=pl.col("offset").max(),
        )
        .sort("key")
    )


class TransactionMinutes:
    """The open minutes of the transactions of a shard."""

    def __init__(self, series: Series) -> None:
        self.rows = Rows(count=np.int64(0), sum=np.float64(0), **BOOKKEEPING)
        self._series = series

    @property
    def owners(self) -> Ints:
        """The stream of each row."""
        return self._series.find_owners(find_series(self.rows.keys))

    def add(self, partial: pl.DataFrame) -> None:
        """Add what a batch brought."""
        at = self.rows.place(partial["key"].to_numpy())
        self.rows.ints("count")[at] += partial["count"].to_numpy()
        self.rows.floats("sum")[at] += partial["sum"].to_numpy()
        touch(self.rows, at, partial["revision"].to_numpy())

    def build(self, wanted: Wanted) -> pl.DataFrame:
        """Return the full rows of the wanted minutes, as they are stored."""
        keys = self.rows.keys[wanted.at]
        row = self.rows.take(wanted.at)
        begin = start_minutes(find_minutes(keys))
        return self._series.split_names(find_series(keys), ["kind", "currency"]).with_columns(
            minute=to_times(begin),
            window_end=to_times(begin + MINUTE_US),
            **{name: row[name] for name in ("count", "sum", "revision", "final")},
        )

    def forget(self, forgotten: Bools) -> None:
        """Drop minutes that nothing can change any more."""
        self.rows.keep(~forgotten)
