"""Novelties: what a series does that it never did before.

    value -> traits: averages, spreads, extremes, steps, how far off its hour of day and of week
          -> each beside the highest and the lowest that it ever was
          -> evidence of this row -> summed with a short memory -> score

A known extreme that comes again is no news, the first of its kind is; and since it has to go beyond
all that was, the margin of a wild series is wide by itself. The state of a series has a fixed size,
and nothing looks ahead. ``streaming.detect`` keeps the states; a score of 1 opens a moment.

Spans are counted in rows: a gap is no value, and is never filled.
"""

import math
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from core.compiled import compiled, inlined
from core.rows import Floats
from core.verdicts import NOTHING, Asked, Verdicts

SPANS: Final = (3, 10, 30, 100, 300)
"""Rows over which averages are taken, each more recent than the next."""

FAST, TEN, THIRTY, HUNDRED, SLOW = range(5)

EARLIEST: Final = (1, 10, 100, 30, 300, 80, 350, 30, 300, 30, 300, 300, 300, 80, 2)
"""From which row on each trait means something, in the order of ``Trait``."""


class Trait(NamedTuple):
    """What people are told when a trait is beyond all that was."""

    higher: str
    lower: str


TRAITS: Final = (
    Trait("higher than ever", "lower than ever"),
    Trait("higher than ever for some rows", "lower than ever for some rows"),
    Trait("higher than ever for long", "lower than ever for long"),
    Trait("rose faster than ever", "fell faster than ever"),
    Trait("its level rose", "its level fell"),
    Trait("more restless than ever", "calmer than ever"),
    Trait("more restless than ever for long", "calmer than ever for long"),
    Trait("never fell as low as it used to", "lows lower than ever"),
    Trait("never fell as low as it used to for long", "lows lower than ever for long"),
    Trait("highs higher than ever", "never rose as high as it used to"),
    Trait("higher than ever at this hour", "lower than ever at this hour"),
    Trait("higher than ever for this time of day", "lower than ever for this time of day"),
    Trait("higher than ever at this hour of the week", "lower than ever at this hour of the week"),
    Trait("steps larger than ever", "steps smaller than ever"),
    Trait("the largest rise ever", "the largest fall ever"),
)
COUNT: Final = len(TRAITS)

STATE: Final = np.dtype(
    [
        ("rows", np.int64),
        ("averages", np.float64, len(SPANS)),
        ("spread_short", np.float64),
        ("spread_long", np.float64),
        ("mean_ever", np.float64),
        ("spread_ever", np.float64),
        ("highs", np.float64, 2),
        ("lows", np.float64, 2),
        ("of_day", np.float64, 24),
        ("of_week", np.float64, 168),
        ("seen_of_day", np.uint8, 24),
        ("seen_of_week", np.uint8, 168),
        ("off_day", np.float64),
        ("spread_off", np.float64),
        ("last", np.float64),
        ("last_at", np.int64),
        ("interval", np.float64),
        ("step", np.float64),
        ("step_ever", np.float64),
        # Of each trait: what it was, in this block of rows and the one before.
        ("highest", np.float64, (2, COUNT)),
        ("lowest", np.float64, (2, COUNT)),
        ("known", np.int64, COUNT),
        ("means", np.float64, COUNT),
        ("squares", np.float64, COUNT),
        ("usual", np.float64),
        ("evidence", np.float64),
        ("resting", np.int64),
    ]
)
"""What is known of a series."""

States: TypeAlias = NDArray[np.void]
State: TypeAlias = Any
"""One of them; types cannot know its fields."""

KNOWN_ENOUGH: Final = 150
"""Rows after which what a trait was is a memory; before, every other row is beyond all that was."""

BLOCK_ROWS: Final = 5000
"""What lies further back than one to two of these is forgotten."""

REST_ROWS: Final = 30
"""After a score of 1 nothing is told for so long, while learning goes on."""

EVIDENCE_KEPT: Final = 0.87
"""Of the evidence from row to row: news within some ten rows add up."""

EVIDENCE_ENOUGH: Final = 4.5
"""For a score of 1, where rows come each five minutes or less often."""

STRICT_BELOW_S: Final = 300.0
STRICTNESS_POWER: Final = 0.68
STRICTNESS_MAX: Final = 4.0
"""Rows that come more often must say more, so that ordinary data raise about one false moment a
week and series whatever the interval."""

MATURE_LOG_ROWS: Final = 3.6
"""The first thousands of rows weigh less: young, everything is new."""

MATURE_ROWS: Final = 600
"""From here on a score of 1 means what it says; before it is rare, and means little."""

_MARGIN: Final = 0.5
"""How far beyond all that was is one unit of news, in standard deviations of the trait."""

_RESOLUTION: Final = 1e-3
"""The same as a share of the trait itself: of what was constant, the first change is news at once,
and its last digit is none."""

_FLOOR: Final = 0.03
"""Of the spread ever, below which no spread is told from another."""

_CLIPPED: Final = 5.0
"""Spreads of what is off its hour beyond which the hour learns no more: or tomorrow echoes it."""

_GRAIN: Final = 1e-6
"""As a share of its level: what a series does in its last digits is no news."""

_TINY: Final = 1e-12
_HOUR_S: Final = 3600


def make_states(count: int) -> States:
    """Return the states of series that have told nothing yet."""
    states = np.zeros(count, STATE)
    states["highest"], states["lowest"] = -np.inf, np.inf
    return states


@inlined
def _rate(span: float, rows: int) -> float:
    """Return the weight of a new row in an average; young averages are plain ones."""
    return max(2 / (span + 1), 1 / (rows + 1))


@inlined
def _learn_levels(state: State, value: float) -> None:
    """Learn averages, spreads and extremes."""
    rows = state.rows
    short, long = value - state.averages[THIRTY], value - state.averages[SLOW]
    rate = _rate(30, rows)
    state.spread_short = (1 - rate) * (state.spread_short + rate * short * short)
    rate = _rate(300, rows)
    state.spread_long = (1 - rate) * (state.spread_long + rate * long * long)
    rate, ever = max(1e-4, 1 / (rows + 1)), value - state.mean_ever
    state.spread_ever = (1 - rate) * (state.spread_ever + rate * ever * ever)
    state.mean_ever += rate * ever
    for index, span in enumerate(SPANS):
        state.averages[index] += _rate(span, rows) * (value - state.averages[index])
    for index, (average, span) in enumerate(((THIRTY, 30), (SLOW, 300))):
        # Peaks sink and lows rise towards the average until they are met again.
        if rows == 0:
            state.highs[index] = state.lows[index] = value
        middle = state.averages[average]
        sunk = state.highs[index] - (state.highs[index] - middle) / span
        risen = state.lows[index] + (middle - state.lows[index]) / span
        state.highs[index], state.lows[index] = max(value, sunk), min(value, risen)


@inlined
def _learn_steps(state: State, value: float) -> float:
    """Learn how the series moves from row to row; return its step."""
    step = value - state.last if state.rows else 0.0
    state.last = value
    state.step += _rate(10, state.rows) * (abs(step) - state.step)
    state.step_ever += max(1e-4, 1 / (state.rows + 1)) * (abs(step) - state.step_ever)
    return step


@inlined
def _learn_seasons(state: State, value: float, at: int) -> tuple[float, float]:
    """Learn the hours; return how far the value is off that of the day, and that of the week."""
    rows = state.rows
    hour = at // _HOUR_S
    day, week = hour % 24, hour % 168
    off_day = value - (state.of_day[day] if state.seen_of_day[day] else state.averages[SLOW])
    off_week = value - state.of_week[week] if state.seen_of_week[week] else off_day
    learnt_day, learnt_week = off_day, off_week
    if rows > SPANS[SLOW]:
        limit = _CLIPPED * math.sqrt(state.spread_off)
        learnt_day = min(max(off_day, -limit), limit)
        learnt_week = min(max(off_week, -limit), limit)
    rate = max(1e-3, 1 / (rows + 1))
    state.spread_off += rate * (learnt_day * learnt_day - state.spread_off)
    if state.seen_of_day[day]:
        state.of_day[day] += max(0.1, 1 / (state.seen_of_day[day] + 1)) * learnt_day
    else:
        state.of_day[day] = value
    if state.seen_of_week[week]:
        state.of_week[week] += max(0.2, 1 / (state.seen_of_week[week] + 1)) * learnt_week
    else:
        state.of_week[week] = value
    state.seen_of_day[day] = min(state.seen_of_day[day] + 1, 100)
    state.seen_of_week[week] = min(state.seen_of_week[week] + 1, 100)
    state.off_day += _rate(30, rows) * (off_day - state.off_day)
    return off_day, off_week


@inlined
def _find_grain(state: State) -> float:
    """Return what is too small to be told from nothing."""
    grain: float = _GRAIN * abs(state.averages[SLOW]) + _TINY
    return grain


@inlined
def _list_traits(
    state: State, value: float, step: float, off: tuple[float, float], traits: Floats
) -> None:
    """Write the traits of a row, in the order of ``TRAITS``."""
    averages = state.averages
    grain = _find_grain(state)
    floor = _FLOOR * math.sqrt(state.spread_ever) + grain
    traits[0] = value
    traits[1] = averages[TEN]
    traits[2] = averages[HUNDRED]
    traits[3] = averages[FAST] - averages[THIRTY]
    traits[4] = averages[THIRTY] - averages[SLOW]
    traits[5] = math.log(math.sqrt(state.spread_short) + floor)
    traits[6] = math.log(math.sqrt(state.spread_long) + floor)
    traits[7], traits[8] = state.lows[0], state.lows[1]
    traits[9] = state.highs[0]
    traits[10], traits[11], traits[12] = off[0], state.off_day, off[1]
    traits[13] = math.log(state.step + _FLOOR * state.step_ever + grain)
    traits[14] = step


@inlined
def _weigh(state: State, traits: Floats, row: int) -> tuple[float, int, bool]:
    """Return the evidence of a row, the trait that tells most, and whether it is higher than ever.

    Each trait is remembered at once: what was news in this row is known in the next.
    """
    total = most = 0.0
    grain = _find_grain(state)
    telling, is_higher = NOTHING, False
    for trait in range(COUNT):
        if row < EARLIEST[trait]:
            continue
        value, known = traits[trait], state.known[trait]
        if known >= KNOWN_ENOUGH:
            highest = max(state.highest[0, trait], state.highest[1, trait])
            lowest = min(state.lowest[0, trait], state.lowest[1, trait])
            beyond = max(value - highest, lowest - value)
            if beyond > 0:
                unit = _MARGIN * math.sqrt(state.squares[trait] / known)
                unit += _RESOLUTION * (abs(highest) + abs(lowest)) + grain
                news = math.log1p(beyond / unit)
                total += news
                if news > most:
                    most, telling, is_higher = news, trait, value > highest
        state.known[trait] = known + 1
        off = value - state.means[trait]
        state.means[trait] += off / (known + 1)
        state.squares[trait] += off * (value - state.means[trait])
        state.highest[0, trait] = max(state.highest[0, trait], value)
        state.lowest[0, trait] = min(state.lowest[0, trait], value)
    return total, telling, is_higher


@inlined
def _turn_block(state: State) -> None:
    """Begin another block of memory where one is full."""
    if state.rows % BLOCK_ROWS:
        return
    for trait in range(COUNT):
        state.highest[1, trait], state.lowest[1, trait] = (
            state.highest[0, trait],
            state.lowest[0, trait],
        )
        state.highest[0, trait], state.lowest[0, trait] = -np.inf, np.inf


@inlined
def _score(state: State, news: float, row: int) -> float:
    """Add the evidence of a row to that of the rows before it; return the score."""
    maturity = (min(math.log10(row), MATURE_LOG_ROWS) / 3) ** 2
    # Of a series that tells something new all the time, each time means less.
    weight = maturity * news / math.sqrt(0.26 + state.usual)
    state.usual += max(1 / 2000, 1 / row) * (news - state.usual)
    if state.resting > 0:
        state.resting -= 1
        state.evidence = 0.0
        return 0.0
    state.evidence = EVIDENCE_KEPT * state.evidence + weight
    strictness = (STRICT_BELOW_S / max(state.interval, 1.0)) ** STRICTNESS_POWER
    score: float = state.evidence / (EVIDENCE_ENOUGH * min(max(strictness, 1.0), STRICTNESS_MAX))
    if score >= 1:
        state.evidence = 0.0
        state.resting = REST_ROWS
    return score


@inlined
def _note_time(state: State, at: int) -> None:
    """Learn how often rows come; a long gap hardly counts."""
    if state.rows:
        passed = float(at - state.last_at)
        if state.rows > 1:
            passed = min(passed, 10 * state.interval)
        state.interval += max(0.01, 1 / state.rows) * (passed - state.interval)
    state.last_at = at


@compiled
def judge_rows(states: States, asked: Asked, traits: Floats, verdicts: Verdicts) -> None:
    """Judge rows in their order, and learn from each after it was judged.

    Args:
        states: Of all series.
        asked: Rows, whose series are places among the states.
        traits: Room for those of one row.
        verdicts: Where what is said of each row is written.
    """
    for index in range(len(asked.series)):
        value, state = asked.values[index], states[asked.series[index]]
        verdicts.scores[index], verdicts.telling[index] = 0.0, NOTHING
        verdicts.higher[index], verdicts.ages[index] = False, state.rows
        verdicts.usual[index] = state.averages[SLOW]
        if not math.isfinite(value):
            continue
        _note_time(state, asked.times[index])
        _learn_levels(state, value)
        step = _learn_steps(state, value)
        off = _learn_seasons(state, value, asked.times[index])
        _list_traits(state, value, step, off, traits)
        state.rows += 1
        news, telling, is_higher = _weigh(state, traits, state.rows)
        _turn_block(state)
        verdicts.scores[index] = _score(state, news, state.rows)
        verdicts.telling[index], verdicts.higher[index] = telling, is_higher
        verdicts.ages[index] = state.rows
