"""Transactions: how many a stream has in a minute, of whatever kind, judged."""

from datetime import timedelta

import numpy as np

from core.baselines import BaselinePolicy
from core.minutes import find_minutes, find_series, join_keys
from core.open_minutes import Wanted
from core.rows import Bools, Ints, Rows
from streaming.detect.levels import Levels, Minutes
from streaming.flow.judges.base import Judgements, Picked, combine, expect_counts


class TransactionJudge:
    """Judges how many transactions a stream has in a minute, of whatever kind."""

    def __init__(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        self.counts = Levels(policy, expect_counts, reopened=reopened, are_few=True)
        self._known: set[int] = set()

    @property
    def levels(self) -> tuple[Levels, ...]:
        """Everything that has a policy."""
        return (self.counts,)

    def judge(
        self, rows: Rows, owners: Ints, wanted: Wanted, alive: tuple[Ints, Ints]
    ) -> list[Judgements]:
        """Return the judgements of minutes that changed.

        Args:
            rows: The open minutes of transactions.
            owners: The stream of each row.
            wanted: Those that are written.
            alive: Streams and minutes that are complete now: with no transaction they count too.
        """
        if len(wanted.at):
            self._known |= set(owners[wanted.at].tolist())
        if not self._known:
            return []
        streams, minutes = alive
        at_known = np.isin(streams, list(self._known))
        keys = np.concatenate(
            [
                join_keys(streams[at_known], minutes[at_known]),
                join_keys(owners[wanted.at], find_minutes(rows.keys[wanted.at])),
            ]
        )
        keys = np.unique(keys)
        if not len(keys):
            return []
        counts, final, revisions = _sum_ledgers(rows, owners, keys)
        final |= np.isin(keys, join_keys(streams, minutes))
        series, numbers = find_series(keys), find_minutes(keys)
        levelled = self.counts.judge(Minutes(series, numbers, counts.astype(np.float64), final))
        # A running minute is still filling up.
        z_scores = np.where(final, levelled.z_scores, np.fmax(levelled.z_scores, 0.0))
        levelled = levelled._replace(z_scores=z_scores)
        picked = Picked(series, numbers, final, final, revisions)
        judged = combine(picked, counts.astype(np.float64), levelled, None)
        return [Judgements("transaction_count", "transaction_spike", None, **judged)]

    def forget(self, streams: Ints) -> None:
        """Drop what is known of streams."""
        self.counts.forget(streams)
        self._known -= set(streams.tolist())


def _sum_ledgers(rows: Rows, owners: Ints, keys: Ints) -> tuple[Ints, Bools, Ints]:
    """Return the transactions of streams and minutes, whether they are complete, and how new."""
    mine = join_keys(owners, find_minutes(rows.keys))
    at = np.minimum(np.searchsorted(keys, mine), len(keys) - 1)
    here = keys[at] == mine
    counts, revisions = np.zeros(len(keys), np.int64), np.zeros(len(keys), np.int64)
    final = np.zeros(len(keys), np.bool_)
    np.add.at(counts, at[here], rows.ints("count")[here])
    np.maximum.at(revisions, at[here], rows.ints("revision")[here])
    np.logical_or.at(final, at[here], rows.bools("final")[here])
    return counts, final, revisions
