"""Shards: the state of one shard and what a batch changes in it.

    batch -> reduce_events -> Partial ┐
                                      ├─> Shard.apply -> Changes -> one database transaction
    wall clock ───> Shard.close ──────┘

Free of Bytewax and of any I/O. The state is columns in memory, changed in place; a snapshot is a
pickle of it.
"""

import pickle
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import polars as pl

from core import metrics
from core.baselines import BaselinePolicy
from core.batches import Batch, Decoded
from core.changes import Changes
from core.chat_minutes import ChatMinutes
from core.errors import SettingsInvalidError
from core.last_chats import take_last_chats
from core.minutes import find_minutes
from core.names import Names, Series
from core.open_minutes import Minutes, Wanted, has_running, settle
from core.reading_minutes import ReadingMinutes
from core.repeats import Repeats
from core.times import EPOCH
from core.transaction_minutes import TransactionMinutes
from core.tunings import Tunings
from core.watermarks import LatenessPolicy, Watermarks
from streaming.flow.lookouts import Lookout
from streaming.flow.partials import (
    NOTHING,
    Catalogue,
    Partial,
    bury_batch,
    list_points,
    reduce_events,
)
from streaming.flow.preparations import Prepared, prepare, prepare_decoded
from streaming.flow.tellings import Tellings

TIDY_EVERY: Final = timedelta(seconds=15)
"""How often minutes that nothing can change any more are dropped from memory."""

SNAPSHOT_FORMAT: Final = b"\x03"
"""Rises when what a shard remembers changes its shape: it stands before every snapshot."""

WRITE_EVERY_S_MAX: Final = 1.0
"""A running minute that changed is written no later than this."""

FRESH: Final = timedelta(seconds=10)
QUIET: Final = timedelta(seconds=15)
"""While older entries are read, by the wall clock everything seems silent: only after so long
without an entry it is."""

SERIES_FORGOTTEN: Final = timedelta(hours=2)
"""A stream without events for so long has its history dropped; it warms up again."""


@dataclass(frozen=True, slots=True)
class FlowPolicy:
    """Every rule that the flow decides by."""

    lateness: LatenessPolicy = LatenessPolicy()
    baseline: BaselinePolicy = BaselinePolicy()
    running_rows_a_second: int = 2_000
    """Running minutes of a shard that are written at most; with more of them each is written less
    often, but at least once a second."""

    chats_told: int = 5
    """Messages of a stream with an audience that a batch hands on to be shown, the last ones."""


class Shard:
    """Everything a shard remembers."""

    def __init__(self, shard: int, policy: FlowPolicy) -> None:
        self.shard = shard
        self.offset = 0
        self._policy = policy
        self._arrived_at = EPOCH
        streams = Names()
        self._catalogue = Catalogue(streams, Series(streams), Series(streams))
        self._watermarks = Watermarks(policy.lateness)
        self._repeats = Repeats()
        self._tellings = Tellings(streams)
        self._chat = ChatMinutes()
        self._readings = ReadingMinutes(self._catalogue.channels)
        self._transactions = TransactionMinutes(self._catalogue.ledgers)
        self._lookout = Lookout(self._catalogue, policy.baseline, reopened=policy.lateness.allowed)
        self._pauses = Pauses()
        self._audiences: Collection[str] = ()
        self._written_at = EPOCH
        self._tidied_at = EPOCH

    def is_running(self, now: datetime) -> bool:
        """Tell whether the clock may still have something to complete, to write, open or end."""
        return (
            any(has_running(kind.rows) for kind in self._kinds)
            or self._tellings.is_due
            or self._lookout.is_waiting(self._watermarks, now)
        )

    @property
    def is_unwritten(self) -> bool:
        """Whether running minutes changed that were not written yet."""
        return any(kind.rows.bools("dirty").any() for kind in self._kinds)

    @classmethod
    def restore(cls, snapshot: bytes, policy: FlowPolicy) -> "Shard":
        """Return the shard of a snapshot, which goes on by the rules of now.

        Raises:
            SettingsInvalidError: Another release of the flow wrote it.
        """
        if snapshot[:1] != SNAPSHOT_FORMAT:
            raise SettingsInvalidError(
                "The snapshots in the folder flow are of another release. Run that one until the"
                " flow has caught up and its minutes are closed, then remove the folder."
            )
        shard: Shard = pickle.loads(snapshot[1:])  # noqa: S301 - our own file, in our own folder.
        shard._policy = policy
        shard._watermarks.policy = policy.lateness
        shard._pauses = Pauses()
        shard._audiences = ()
        shard._lookout.follow(policy.baseline, reopened=policy.lateness.allowed)
        return shard

    def snapshot(self) -> bytes:
        """Return everything that is remembered."""
        return SNAPSHOT_FORMAT + pickle.dumps(self, protocol=pickle.HIGHEST_PROTOCOL)

    def tune(self, tunings: Tunings) -> None:
        """Judge by other rules from now on."""
        self._lookout.register.tunings = tunings

    def show(self, streams: Collection[str]) -> None:
        """Hand on what is said in some streams from now on."""
        self._audiences = streams

    def apply(self, batch: Batch, prepared: Prepared | None = None) -> list[Changes]:
        """Merge a batch, which may be prepared already, and return what it changed."""
        try:
            partial = self._reduce(prepared or prepare(batch))
        except MemoryError:
            raise
        # Whatever an entry holds must not stop the flow.
        except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001
            if len(batch.entries) > 1:
                return [changes for half in batch.halve() for changes in self.apply(half)]
            partial = bury_batch(batch, error)
        return [self._merge(partial)]

    def apply_decoded(self, decoded: Decoded) -> Changes:
        """Merge events that did not come over the bus, and return what they changed."""
        return self._merge(self._reduce(prepare_decoded(decoded)))

    def close(self, now: datetime) -> Changes | None:
        """Complete and write by the wall clock what no batch did."""
        is_timely = self._pauses.is_timely(self._arrived_at, now)
        changes = self._settle(now, Partial(self.offset, self._arrived_at), is_timely=is_timely)
        rows = (changes.chat, changes.readings, changes.transactions, changes.streams)
        return changes if changes.moments or any(part.height for part in rows) else None

    def _reduce(self, prepared: Prepared) -> Partial:
        return reduce_events(prepared, self._catalogue, self._repeats, self._watermarks)

    def _merge(self, partial: Partial) -> Changes:
        self.offset, self._arrived_at = partial.offset, partial.arrived_at
        if partial.arrival is not None:
            self._watermarks.move(partial.arrival)
            self._tellings.note(partial.arrival, partial.events)
            unremembered = self._repeats.remember(partial.on_time, partial.events)
            metrics.flow_ids_unremembered_total.inc(unremembered)
        if partial.chat is not None:
            self._chat.add_chat(partial.chat)
        if partial.viewers is not None:
            self._chat.add_viewers(partial.viewers)
        if partial.readings is not None:
            self._readings.add(partial.readings.sums, partial.readings.values)
        if partial.transactions is not None:
            self._transactions.add(partial.transactions)
        self._lookout.note(partial, self._watermarks)
        return self._settle(self._arrived_at, partial, is_timely=True)

    def _settle(self, now: datetime, partial: Partial, *, is_timely: bool) -> Changes:
        """Find what became complete, build the rows of all that changed, forget what is over."""
        with_running = self._is_time_to_write(now)
        if with_running:
            self._written_at = now
        owners = [kind.owners for kind in self._kinds]
        wanted = [
            settle(kind.rows, owned, self._watermarks, now, with_running=with_running)
            for kind, owned in zip(self._kinds, owners, strict=True)
        ]
        chat, readings, transactions = wanted
        completed = [
            owned[part.at][kind.rows.bools("final")[part.at]]
            for kind, owned, part in zip(self._kinds, owners, wanted, strict=True)
        ]
        chat_rows = self._write_chat(chat)
        reading_rows = self._write_readings(readings)
        self._lookout.judge_transactions(self._transactions, transactions, self._chat.rows, chat)
        self._lookout.settle(now, self._watermarks, self.offset, is_timely=is_timely)
        changes = Changes(
            shard=self.shard,
            offset=self.offset,
            arrived_at=self._arrived_at,
            events=partial.events.height,
            points=list_points(partial.events),
            streams=self._tellings.tell(np.concatenate(completed), now),
            chat=chat_rows,
            readings=reading_rows,
            transactions=self._transactions.build(transactions)
            if len(transactions.at)
            else NOTHING,
            late=partial.late,
            moments=self._lookout.take_changed(self._chat, self._transactions, now),
            dead=partial.dead,
            newest_at=partial.newest_at,
            said=self._take_last_chats(partial),
        )
        if self._arrived_at - self._tidied_at >= TIDY_EVERY:
            self._tidied_at = self._arrived_at
            self._tidy()
        return changes

    def _take_last_chats(self, partial: Partial) -> pl.DataFrame:
        looked_at = self._catalogue.streams.list_known(self._audiences)
        return take_last_chats(partial.said, looked_at, self._policy.chats_told)

    @property
    def _kinds(self) -> tuple[Minutes, Minutes, Minutes]:
        return self._chat, self._readings, self._transactions

    def _is_time_to_write(self, now: datetime) -> bool:
        """Tell whether running minutes are due: the more there are, the less often."""
        dirty = sum(int(kind.rows.bools("dirty").sum()) for kind in self._kinds)
        pause_s = min(dirty / self._policy.running_rows_a_second, WRITE_EVERY_S_MAX)
        return now - self._written_at >= timedelta(seconds=pause_s)

    def _write_chat(self, wanted: Wanted) -> pl.DataFrame:
        if not len(wanted.at):
            return NOTHING
        verdict = self._lookout.judge_chat(self._chat.rows, wanted, self._watermarks)
        built = self._chat.build(wanted, self._watermarks.newest, self._catalogue.streams)
        return built.with_columns(**verdict)

    def _write_readings(self, wanted: Wanted) -> pl.DataFrame:
        if not len(wanted.at):
            return NOTHING
        verdict = self._lookout.judge_readings(self._readings.rows, wanted)
        return self._readings.build(wanted).with_columns(**verdict)

    def _tidy(self) -> None:
        """Forget what no event can change or be measured by any more."""
        for kind in self._kinds:
            minutes = find_minutes(kind.rows.keys)
            over = self._watermarks.is_forgotten(kind.owners, minutes, self._arrived_at)
            over &= ~kind.rows.bools("dirty")
            if over.any():
                kind.forget(over)
        self._repeats.keep(
            np.unique(np.concatenate([find_minutes(kind.rows.keys) for kind in self._kinds]))
        )
        idle = self._watermarks.list_idle(self._arrived_at, SERIES_FORGOTTEN)
        channels = self._catalogue.channels.list_owned(idle)
        self._lookout.forget(idle, channels, self._arrived_at)


class Pauses:
    """Tells whether the bus is quiet, or only not read yet."""

    def __init__(self) -> None:
        self._arrived_at: datetime | None = None
        self._since = EPOCH

    def is_timely(self, arrived_at: datetime, now: datetime) -> bool:
        """Tell whether nothing came for a while, or what came was fresh."""
        if arrived_at != self._arrived_at:
            self._arrived_at, self._since = arrived_at, now
        return now - arrived_at <= FRESH or now - self._since >= QUIET
