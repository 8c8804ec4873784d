"""River: two of its detectors, asked and taught one value after the other, as it is made for.

GaussianScorer   how far a value lies from the mean of all before
HalfSpaceTrees   how seldom values came to where it lies, by ten random trees over 250 values

Both answer between 0 and 1. The first is 1.0 from eight deviations on, so that no threshold tells
what lies beyond: what is held against thresholds is the deviation itself, of which its score is a
function. Scores of the second crowd below 1: they are taken as -ln(1 - score).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from river.anomaly import GaussianScorer, HalfSpaceTrees

from core.rows import Floats
from loadtest.bench.detection.peers import Peer

SEED: Final = 2026
GRACE_ROWS: Final = 100
TREE_ROWS: Final = 250
"""Of so many first rows either says nothing, by its own default."""

TREE_THRESHOLDS: Final = tuple(np.linspace(1, 9, 41).tolist())
"""Of ten trees over 250 values, -ln(1 - score) comes to five or so."""

Model: TypeAlias = Any
"""The library has no types that mypy may rely on."""

Step = Callable[[Sequence[Model], Sequence[float]], None]


def score_gaussian(values: Floats) -> Floats:
    """Return how many deviations each value lies from the mean of all before."""
    scorer, scores = GaussianScorer(), np.zeros(len(values))
    for row, value in enumerate(values.tolist()):
        known = scorer.gaussian
        if known.n_samples >= GRACE_ROWS and known.sigma > 0:
            scores[row] = abs(value - known.mu) / known.sigma
        scorer.learn_one(None, value)
    return scores


def score_trees(values: Floats) -> Floats:
    """Return how seldom values came to where each lies, scaled by the range of all before."""
    scorer, scores = make_trees(), np.zeros(len(values))
    for row, value in enumerate(scale_by_past(values).tolist()):
        point = {"value": value}
        scores[row] = scorer.score_one(point)
        scorer.learn_one(point)
    # The first window has nothing to compare with.
    scores[:TREE_ROWS] = 0.0
    rare: Floats = -np.log(np.maximum(1 - scores, 1e-12))
    return rare


def scale_by_past(values: Floats) -> Floats:
    """Return values as shares of the range of those before: the trees want 0 to 1."""
    before = np.concatenate([values[:1], values[:-1]])
    low, high = np.minimum.accumulate(before), np.maximum.accumulate(before)
    width = np.where(high > low, high - low, 1.0)
    scaled: Floats = (values - low) / width
    return scaled


def make_gaussian() -> Model:
    """Return a scorer with the settings of the library."""
    return GaussianScorer()


def make_trees() -> Model:
    """Return trees with the settings of the library."""
    return HalfSpaceTrees(seed=SEED)


def step_gaussians(models: Sequence[Model], values: Sequence[float]) -> None:
    """Ask each model about its value and teach it."""
    for model, value in zip(models, values, strict=True):
        model.score_one(None, value)
        model.learn_one(None, value)


def step_trees(models: Sequence[Model], values: Sequence[float]) -> None:
    """Ask each model about its value and teach it."""
    for model, value in zip(models, values, strict=True):
        point = {"value": value}
        model.score_one(point)
        model.learn_one(point)


GAUSSIAN: Final = "River GaussianScorer"
TREES: Final = "River HalfSpaceTrees"
PEERS: Final[Mapping[str, Peer]] = {
    GAUSSIAN: Peer(score_gaussian),
    TREES: Peer(score_trees, TREE_THRESHOLDS),
}
