"""Recorders: what Locust reports of each request, and how late the generator itself is.

Locust rounds times to whole milliseconds; here most answers take one or two, so the times are
counted in buckets of our own.
"""

import time
from collections import Counter, defaultdict
from typing import Final

import gevent
from locust.event import Events

from loadtest.load.distributions import Distribution
from loadtest.load.findings import ERRORS_MAX, OTHER_ERRORS, Requests, Tick

TICKS_MAX: Final = 300
"""Points of a curve, at most; a longer run has longer ticks."""

TICK_S_MIN: Final = 1.0

LAG_EVERY_S: Final = 0.05
"""A greenlet that does nothing else wants to wake so often; what it is late, everybody may be."""

CRASH: Final = "crash: a user"

GROUPS_ASIDE: Final = frozenset({"probe", "feed", "age", "crash"})
"""These are no part of what the curves show."""


class Recorder:
    """Counts requests, errors, ticks and lags."""

    def __init__(self, events: Events, seconds: float) -> None:
        self.lags = Distribution()
        self.ticks: list[Tick] = []
        self.errors: Counter[str] = Counter()
        self._times: defaultdict[str, Distribution] = defaultdict(Distribution)
        self._failures: Counter[str] = Counter()
        self._tick_s = max(seconds / TICKS_MAX, TICK_S_MIN)
        self._current = Distribution()
        self._current_failures = 0
        self._lag_ms = 0.0
        self._began_s = time.monotonic()
        events.request.add_listener(self.record)
        events.user_error.add_listener(self._record_crash)

    def start(self) -> list[gevent.Greenlet]:
        """Begin to measure; of what was recorded before only the errors count."""
        self._times.clear()
        self._began_s = time.monotonic()
        self._turn(self._began_s)
        self.ticks.clear()
        return [gevent.spawn(self._watch_lag), gevent.spawn(self._tick)]

    def record(
        self, name: str, response_time: float, exception: object = None, **_facts: object
    ) -> None:
        """Count one request."""
        self._times[name].add(response_time)
        failed = exception is not None
        if failed:
            self._failures[name] += 1
            self._note_error(f"{name}: {exception}")
        if name.partition(":")[0] not in GROUPS_ASIDE:
            self._current.add(response_time)
            self._current_failures += failed

    def list_requests(self) -> tuple[Requests, ...]:
        """Return what was counted, by name."""
        return tuple(
            Requests(name, self._failures[name], self._times[name])
            for name in sorted(self._times.keys() | self._failures.keys())
        )

    def _record_crash(self, exception: Exception, **_facts: object) -> None:
        # A user that broke asks nothing more: that must not look like a calm run.
        text = f"{type(exception).__name__}: {exception}"
        self.record(CRASH, 0.0, exception=text)

    def _note_error(self, text: str) -> None:
        is_known = text in self.errors or len(self.errors) < ERRORS_MAX
        self.errors[text if is_known else OTHER_ERRORS] += 1

    def _watch_lag(self) -> None:
        while True:
            due = time.perf_counter() + LAG_EVERY_S
            gevent.sleep(LAG_EVERY_S)
            late_ms = (time.perf_counter() - due) * 1000
            self.lags.add(late_ms)
            self._lag_ms = max(self._lag_ms, late_ms)

    def _tick(self) -> None:
        while True:
            gevent.sleep(self._tick_s)
            self._turn(time.monotonic())

    def _turn(self, now_s: float) -> None:
        """Close a tick and begin the next one."""
        done, self._current = self._current, Distribution()
        self.ticks.append(
            Tick(
                at_s=now_s - self._began_s,
                requests=done.count,
                failures=self._current_failures,
                p50_ms=done.find_percentile(50),
                p95_ms=done.find_percentile(95),
                lag_ms=self._lag_ms,
            )
        )
        self._current_failures, self._lag_ms = 0, 0.0
