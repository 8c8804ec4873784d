"""Lookouts: everything in a shard that looks for moments.

batch ─► seconds, rhythms, samples ─┐
rows that are written ─► judges ────┼─► register ─► moments that changed, with their reasons
the clock ─► silences, ends ────────┘
"""

from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from core.baselines import BaselinePolicy
from core.chat_minutes import ChatMinutes
from core.minutes import find_minutes, find_series, number_of
from core.moments import Judged, Key, Moment
from core.open_minutes import Wanted
from core.reasons import Reason
from core.rows import Bools, Floats, Ints, Rows
from core.seconds import Rushes, Seconds
from core.times import EPOCH
from core.transaction_minutes import TransactionMinutes
from core.watermarks import Watermarks
from streaming.detect.levels import Levels
from streaming.flow.backgrounds import Background, Compared
from streaming.flow.judges.base import Judgements
from streaming.flow.judges.chats import ChatJudge
from streaming.flow.judges.readings import ReadingJudge
from streaming.flow.judges.transactions import TransactionJudge
from streaming.flow.partials import Catalogue, Partial
from streaming.flow.pulses import Pulses, Shared
from streaming.flow.registers import Names, Register

RUSH: Final = 4.8
"""Standard deviations beyond the usual rate from which a chat that speeds up is a moment."""

SLICE_US: Final = 30_000_000
"""Seconds of a batch are judged in parts as long as this, so that what is read late, and much of it
at once, is judged as it would have been in time."""


class Lookout:
    """Looks for moments in a shard."""

    def __init__(
        self, catalogue: Catalogue, policy: BaselinePolicy, *, reopened: timedelta
    ) -> None:
        self.register = Register()
        self._catalogue = catalogue
        self._chat = ChatJudge(policy, reopened=reopened)
        self._readings = ReadingJudge(policy, reopened=reopened)
        self._transactions = TransactionJudge(policy, reopened=reopened)
        self._seconds = Seconds()
        self._pulses = Pulses(catalogue)
        self._background = Background()
        self._judgements: list[Judgements] = []

    def follow(self, policy: BaselinePolicy, *, reopened: timedelta) -> None:
        """Go on by another policy."""
        for levels in self._list_levels():
            levels.follow(policy, reopened=reopened)

    def is_waiting(self, watermarks: Watermarks, now: datetime) -> bool:
        """Tell whether the clock may have something to open or to end."""
        return self.register.is_open or self._pulses.is_waiting(watermarks, now)

    def note(self, partial: Partial, watermarks: Watermarks) -> None:
        """Learn from the events of a batch, before anything is judged."""
        self._pulses.follow(partial, Shared(self.register, watermarks, partial.offset))
        if not partial.on_time.is_empty():
            self._background.keep_events(partial.on_time)
        if partial.said is not None and not partial.said.is_empty():
            said = partial.said
            # A sender whose clock runs ahead must not move the second that is judged.
            at = np.minimum(said["at"].to_numpy(), said["arrived"].to_numpy())
            sampled = self._count(said["stream"].to_numpy(), at, partial.offset)
            self._background.keep_samples(said, sampled)

    def judge_chat(
        self, rows: Rows, wanted: Wanted, watermarks: Watermarks
    ) -> dict[str, pl.Series]:
        """Judge minutes of chat; return what is stored beside them."""
        stored, judgements = self._chat.judge(rows, wanted, watermarks)
        self._judgements += judgements
        return stored

    def judge_readings(self, rows: Rows, wanted: Wanted) -> dict[str, pl.Series]:
        """Judge minutes of channels; return what is stored beside them."""
        stored, judgements = self._readings.judge(rows, wanted)
        self._judgements += judgements
        return stored

    def judge_transactions(
        self, money: TransactionMinutes, wanted: Wanted, chat: Rows, completed: Wanted
    ) -> None:
        """Judge minutes of transactions; a minute of chat with none counts too."""
        final = chat.bools("final")[completed.at]
        keys = chat.keys[completed.at][final]
        alive = find_series(keys), find_minutes(keys)
        self._judgements += self._transactions.judge(money.rows, money.owners, wanted, alive)

    def settle(
        self, now: datetime, watermarks: Watermarks, offset: int, *, is_timely: bool
    ) -> None:
        """Open, move on and end moments.

        Args:
            now: The time of arrival, or the wall clock.
            watermarks: The times of the streams.
            offset: Of the newest entry.
            is_timely: Whether nothing waits to be read, so that a pause is one.
        """
        for judgements in self._judgements:
            self.register.judge(judgements, self._find_names(judgements))
        self._judgements.clear()
        if is_timely:
            self._pulses.settle(now, Shared(self.register, watermarks, offset))
        names = self._catalogue.streams
        self.register.settle(lambda name: watermarks.tell_time(names.find(name), now), offset)

    def take_changed(
        self, chat: ChatMinutes, money: TransactionMinutes, now: datetime
    ) -> tuple[Moment, ...]:
        """Return the moments that opened, changed or ended, with their reasons."""

        def explain(moment: Moment) -> list[Reason]:
            stream = self._catalogue.streams.find(moment.stream_id)
            compared = self._list_compared(stream, moment.metric_name)
            given = _sum_money(money, self._catalogue, stream, moment)
            return self._background.explain(moment, stream, compared, chat, given)

        return self.register.take_changed(explain, now)

    def forget(self, streams: Ints, channels: Ints, now: datetime) -> None:
        """Drop what is known of streams that are idle."""
        self.register.forget(now)
        if len(streams):
            self._chat.forget(streams)
            self._transactions.forget(streams)
            self._readings.forget(channels)
            self._pulses.forget(streams, channels)

    def _list_levels(self) -> tuple[Levels, ...]:
        return self._chat.levels + self._readings.levels + self._transactions.levels

    def _find_names(self, judgements: Judgements) -> Names:
        metric = judgements.metric
        if metric is None:
            return self._catalogue.channels.name
        names = self._catalogue.streams.names
        return lambda stream: (names[stream], metric)

    def _count(self, streams: Ints, at: Ints, offset: int) -> Bools:
        """Count messages and open what their seconds tell of; return which are samples."""
        if int(at.max()) - int(at.min()) <= SLICE_US:
            return self._count_slice(streams, at, offset)
        sampled = np.zeros(len(at), np.bool_)
        order = np.argsort(at, kind="stable")
        ends = np.flatnonzero(np.diff(at[order] // SLICE_US)) + 1
        for part in np.split(order, ends):
            sampled[part] = self._count_slice(streams[part], at[part], offset)
        return sampled

    def _count_slice(self, streams: Ints, at: Ints, offset: int) -> Bools:
        sampled = self._seconds.count(streams, at)
        different = np.unique(streams)
        expected, spread = self._chat.counts.find_standing(different)
        rushes = self._seconds.find_rushes(different, expected, spread, RUSH)
        for index in np.flatnonzero(rushes.seconds).tolist():
            stream = int(different[index])
            usual = float(expected[index]), float(spread[index])
            name = self._catalogue.streams.names[stream]
            self.register.open(_judge_rush(name, rushes, index, usual, offset), stream)
        return sampled

    def _list_compared(self, stream: int, own: str) -> list[Compared]:
        """Return the other metrics of a stream."""
        found = [
            Compared("chat_count", self._chat.counts, stream),
            Compared("avg_viewers", self._chat.viewers, stream),
            Compared("avg_sentiment", self._chat.moods, stream),
        ]
        channels = self._catalogue.channels
        found += [
            Compared(channels.name(number)[1], self._readings.means, number)
            for number in channels.list_owned(np.array([stream])).tolist()
        ]
        return [each for each in found if each.name != own]


def _judge_rush(
    stream_id: str, rushes: Rushes, index: int, usual: tuple[float, float], offset: int
) -> Judged:
    at = EPOCH + timedelta(seconds=int(rushes.seconds[index]))
    score = float(rushes.scores[index])
    return Judged(
        key=Key(stream_id, "chat_count", "chat_spike"),
        minute=at.replace(second=0),
        at=at,
        value=float(rushes.rates[index]) * 60,
        expected=usual[0],
        spread=usual[1],
        z_score=score,
        threshold=RUSH,
        score=score / RUSH,
        direction="up",
        final=False,
        revision=offset,
        told_by="rush",
    )


def _sum_money(
    money: TransactionMinutes, catalogue: Catalogue, stream: int, moment: Moment
) -> list[tuple[str, str, int, float]]:
    """Return what was given in a stream while a moment went on, by kind and currency."""
    first, last = number_of(moment.timestamp), number_of(moment.last_at)
    minutes = find_minutes(money.rows.keys)
    here = (money.owners == stream) & (minutes >= first) & (minutes <= last)
    if not here.any():
        return []
    series = find_series(money.rows.keys[here])
    counts: Ints = money.rows.ints("count")[here]
    sums: Floats = money.rows.floats("sum")[here]
    ledgers = np.unique(series)
    named = catalogue.ledgers.split_names(ledgers, ["kind", "currency"])
    found = []
    for number, (_, kind, currency) in zip(ledgers.tolist(), named.iter_rows(), strict=True):
        mine = series == number
        found.append((kind, currency, int(counts[mine].sum()), float(sums[mine].sum())))
    return found
