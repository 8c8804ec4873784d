"""Usual lags: how far behind this process usually is, and since when that is another number.

    lag of each commit -> worst of ten seconds -> logarithm -> ADWIN -> usual -> shift

A fixed limit fits no two machines; what fits all of them is "slower than it used to be". ADWIN, of
River, keeps a window that grows while nothing changes and begins anew when something does. The
committer notes lags here, in one thread; others may read ``usual_s``.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any, Final

import river

STEP: Final = timedelta(seconds=10)
"""Lags of so long count as one, their worst: a window is of values that know little of another."""

SETTLED: Final = 60
"""Values of a window, ten minutes, from which on its mean is believed."""

TELLING: Final = 2.0
"""By so much slower or faster is told of; less is the drift of a day."""

CAUGHT_UP_S: Final = 10.0
"""A process that starts makes up for its absence until it is no further behind than this."""

FLOOR_S: Final = 0.05
"""Nobody notices what lies below; clocks that differ make it negative."""

DELTA: Final = 1e-6
"""How likely a cut without a cause may be; lags that follow one another are cut far more often."""

LOOK_EVERY: Final = 6
"""Values, a minute, after which the window is looked at for a cut."""

DIRECTIONS: Final = ("up", "down")
"""Slower, and faster."""

PART_MIN: Final = 18
"""Values on each side of a cut, three minutes: a commit that took an hour moves no mean by half."""


def _load_adwin() -> Any:  # noqa: ANN401 - River carries no types.
    """Return River's ADWIN without ``river.drift``.

    Its neighbours there load the statistics of SciPy: 1.4 s and 90 MB for each process.
    """
    path = Path(river.__path__[0], "drift", "adwin.py")
    spec = spec_from_file_location("river_adwin", path)
    if spec is None or spec.loader is None:
        raise ImportError(f"{path} cannot be loaded")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.ADWIN


ADWIN: Final = _load_adwin()


@dataclass(frozen=True, slots=True)
class LagShift:
    """What is usual has at least doubled or halved since it was last told of."""

    before_s: float
    after_s: float

    @property
    def direction(self) -> str:
        """Return one of ``DIRECTIONS``."""
        return DIRECTIONS[self.after_s < self.before_s]


class UsualLag:
    """The usual lag of one process, as long as it lives: lags are the machine's, not the data's."""

    def __init__(self) -> None:
        self._adwin = ADWIN(delta=DELTA, clock=LOOK_EVERY, min_window_length=PART_MIN)
        self._step: int | None = None
        self._worst_s = 0.0
        self._has_caught_up = False
        self._told_s: float | None = None
        self.usual_s: float | None = None
        """None while it is learned, ten minutes with commits."""

    def note(self, lag_s: float, now: datetime) -> LagShift | None:
        """Remember a lag; return a shift when one is certain, ten minutes of lags after its cut."""
        step = int(now.timestamp() // STEP.total_seconds())
        shift = None if self._step in {None, step} else self._end_step()
        self._step = step
        self._worst_s = max(self._worst_s, lag_s)
        return shift

    def _end_step(self) -> LagShift | None:
        worst_s, self._worst_s = self._worst_s, 0.0
        self._has_caught_up = self._has_caught_up or worst_s < CAUGHT_UP_S
        if not self._has_caught_up:
            return None
        self._adwin.update(math.log(max(worst_s, FLOOR_S)))
        if self._adwin.width < SETTLED:
            return None
        self.usual_s = math.exp(self._adwin.estimation)
        return self._judge(self.usual_s) if self._adwin.width == SETTLED else None

    def _judge(self, usual_s: float) -> LagShift | None:
        """Compare a window that has just settled with what was last told of."""
        before_s = self._told_s
        if before_s is not None and 1 / TELLING < usual_s / before_s < TELLING:
            return None
        self._told_s = usual_s
        return None if before_s is None else LagShift(before_s, usual_s)
