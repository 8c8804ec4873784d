"""Pulses: the rhythm of everything that tells in a shard, and the silences and flat lines in it.

    events -> streams, their chat, their viewers, their channels: a rhythm each
    a pause too long -> silence of a channel, of a chat, or of the whole stream, which says it all

Told live only: a gap in what somebody sends of the past is no news.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

import numpy as np
import polars as pl

from core.minutes import to_micros
from core.moments import Judged, Key, MomentType
from core.rhythms import Breaks, Rhythms, Told
from core.rows import Bools, Floats, Ints
from core.times import EPOCH
from core.tunings import NO_TUNINGS, UNTUNED, Tunings
from core.watermarks import Watermarks
from streaming.flow.partials import Catalogue, Partial
from streaming.flow.registers import Names, Register

LIVE: Final = timedelta(minutes=5)
"""A stream whose events are older than this on arrival tells of the past."""

GIVEN_UP: Final = timedelta(hours=2)
"""A silence and a flat line that lasted so long are what is usual by now."""

TELLS: Final = timedelta(seconds=10)
"""A stream whose last event is older than this tells nothing now."""

LOOK_EVERY: Final = timedelta(seconds=1)
"""How often pauses are looked for."""

_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all rhythms of a shard need."""

    register: Register
    watermarks: Watermarks
    revision: int


class Pulse:
    """The rhythms of one kind of series."""

    def __init__(self, owners: Callable[[Ints], Ints], names: Names) -> None:
        self.rhythms = Rhythms()
        self._owners = owners
        self._names = names
        self._tunings = NO_TUNINGS
        self._least: Ints = np.zeros(0, np.int64)

    def follow(self, told: Told, arrived: Ints, shared: Shared) -> None:
        """Learn from events, and open and end what they begin and end."""
        breaks = self.rhythms.follow(told, self.find_least(told.series, shared.register.tunings))
        is_live = arrived - told.at <= LIVE // _MICROSECOND
        for index in np.flatnonzero(_has_break(breaks) & is_live).tolist():
            times = tuple(int(column[index]) for column in breaks)
            self._break(int(told.series[index]), int(told.at[index]), times, shared)

    def open_silences(self, now: datetime, is_live: Bools, shared: Shared) -> None:
        """Open the silences of series whose streams should tell."""
        asked = self.rhythms.list_learnt()
        owners = self._owners(asked)
        asked, owners = asked[is_live[owners]], owners[is_live[owners]]
        watermarks, time = shared.watermarks, to_micros(now)
        passed = np.maximum(time - watermarks.arrived[owners], 0)
        least = self.find_least(asked, shared.register.tunings)
        silent = self.rhythms.find_silent(watermarks.newest[owners] + passed, least, asked)
        for row in zip(*(column.tolist() for column in silent), strict=True):
            series, since, usual_s, limit_s = row
            key = self.key(series, "silence")
            if shared.register.find_open(key) is None:
                length = (time - since) / 1e6
                pause = _Pause(since, length, usual_s, limit_s, max(length / limit_s, 1.0))
                shared.register.open(_judge_pause(key, pause, shared.revision))

    def key(self, series: int, moment_type: MomentType) -> Key:
        """Return what a moment of a series is known by."""
        return Key(*self._names(series), moment_type)

    def find_least(self, series: Ints, tunings: Tunings) -> Ints:
        """Return how long each series must pause at least to be silent, in microseconds."""
        if tunings.version != self._tunings.version:
            self._tunings, self._least = tunings, np.zeros(0, np.int64)
        if not tunings.rules:
            return np.full(len(series), UNTUNED.silence_after // _MICROSECOND)
        size = int(series.max(initial=-1)) + 1
        if size > len(self._least):
            new = range(len(self._least), size)
            found = [tunings.find(*self._names(number)).silence_after for number in new]
            more = [silence_after // _MICROSECOND for silence_after in found]
            self._least = np.concatenate([self._least, np.array(more, np.int64)])
        return self._least[series]

    def _break(self, series: int, at: int, times: tuple[int, ...], shared: Shared) -> None:
        silent_from, flat_from, flat_until = times
        ended_at = EPOCH + timedelta(microseconds=at)
        if silent_from:
            key, length = self.key(series, "silence"), (at - silent_from) / 1e6
            shared.register.end(key, ended_at, shared.revision, metric_value=length)
        if flat_until:
            shared.register.end(self.key(series, "flatline"), ended_at, shared.revision)
        if flat_from:
            values, runs = self.rhythms.find_runs(np.array([series]))
            pause = _Pause(flat_from, float(values[0]), float(values[0]), float(runs[0]), 1.0)
            shared.register.open(_judge_pause(self.key(series, "flatline"), pause, shared.revision))


class Pulses:
    """All rhythms of a shard."""

    def __init__(self, catalogue: Catalogue) -> None:
        streams = catalogue.streams.names
        self._events = Pulse(_own, partial(_name, streams, "events"))
        self._chat = Pulse(_own, partial(_name, streams, "chat_count"))
        self._viewers = Pulse(_own, partial(_name, streams, "avg_viewers"))
        self._channels = Pulse(catalogue.channels.find_owners, catalogue.channels.name)
        self._ended: set[int] = set()
        """Streams that said that they end: their silence is none."""

        self._looked_at = EPOCH

    def follow(self, brought: Partial, shared: Shared) -> None:
        """Learn from the events of a batch."""
        events = brought.on_time
        if events.is_empty():
            return
        self._note_ends(events)
        self._events.follow(*_tell(events, "stream"), shared)
        if brought.said is not None:
            self._chat.follow(*_tell(brought.said, "stream"), shared)
        if brought.watched is not None:
            self._viewers.follow(*_tell(brought.watched, "stream"), shared)
        if brought.readings is not None:
            self._channels.follow(*_tell(brought.readings.values, "series"), shared)

    def settle(self, now: datetime, shared: Shared) -> None:
        """Open the silences of what pauses for too long, and give up those that are usual now."""
        if now - self._looked_at < LOOK_EVERY:
            return
        self._looked_at = now
        watermarks = shared.watermarks
        is_live = watermarks.arrived - watermarks.newest <= LIVE // _MICROSECOND
        rested = to_micros(now) - watermarks.arrived
        is_live &= rested <= GIVEN_UP // _MICROSECOND
        is_live[list(self._ended)] = False
        self._events.open_silences(now, is_live, shared)
        # Of a stream that tells nothing at all, its own silence says everything.
        is_live &= rested <= TELLS // _MICROSECOND
        for pulse in (self._chat, self._viewers, self._channels):
            pulse.open_silences(now, is_live, shared)
        _give_up(now, shared)

    def is_waiting(self, watermarks: Watermarks, now: datetime) -> bool:
        """Tell whether a stream may fall silent yet, which only the clock would notice."""
        learnt = self._events.rhythms.list_learnt()
        rested = to_micros(now) - watermarks.arrived[learnt]
        return bool((rested <= GIVEN_UP // _MICROSECOND).any())

    def forget(self, streams: Ints, channels: Ints) -> None:
        """Drop what is known of streams and channels."""
        for pulse in (self._events, self._chat, self._viewers):
            pulse.rhythms.forget(streams)
        self._channels.rhythms.forget(channels)
        self._ended -= set(streams.tolist())

    def _note_ends(self, events: pl.DataFrame) -> None:
        if self._ended:
            self._ended -= set(events["stream"].unique().to_list())
        if "event" in events.columns:
            ends = events.filter(pl.col("event") == "stream_end")
            self._ended |= set(ends["stream"].to_list())


def _own(streams: Ints) -> Ints:
    """Return the streams that streams belong to."""
    return streams


def _name(streams: list[str], metric: str, stream: int) -> tuple[str, str]:
    return streams[stream], metric


def _give_up(now: datetime, shared: Shared) -> None:
    for moment in shared.register.list_open("silence", "flatline"):
        if now - moment.started_at > GIVEN_UP:
            length = (now - moment.started_at).total_seconds()
            value = length if moment.moment_type == "silence" else moment.metric_value
            shared.register.end(moment.key, now, shared.revision, metric_value=value)


def _tell(events: pl.DataFrame, series: str) -> tuple[Told, Ints]:
    """Return events as a rhythm takes them, and when they arrived."""
    count = events.height
    values: Floats = events["value"].to_numpy() if series == "series" else np.full(count, np.nan)
    told = Told(events[series].to_numpy(), events["at"].to_numpy(), values)
    return told, events["arrived"].to_numpy()


def _has_break(breaks: Breaks) -> Bools:
    broken: Bools = (breaks.silent_from | breaks.flat_from | breaks.flat_until) > 0
    return broken


class _Pause(NamedTuple):
    """What broke a rhythm."""

    since: int
    value: float
    expected: float
    threshold: float
    score: float


def _judge_pause(key: Key, pause: _Pause, revision: int) -> Judged:
    at = EPOCH + timedelta(microseconds=pause.since)
    return Judged(
        key=key,
        minute=at.replace(second=0, microsecond=0),
        at=at,
        value=pause.value,
        expected=pause.expected,
        spread=math.nan,
        z_score=0.0,
        threshold=pause.threshold,
        score=pause.score,
        direction="down",
        final=True,
        revision=revision,
        told_by="rhythm",
    )
