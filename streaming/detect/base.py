"""Base: what every detector does, for many series at once.

    rows -> update -> verdicts, one a row, in the order of the rows

A detector learns from each row after it has judged it, never looks ahead, holds a fixed number of
bytes a series, and can be pickled. A new detector is one file beside this one.
"""

from typing import Protocol

from core.rows import Ints
from core.verdicts import Asked, Verdicts


class Detector(Protocol):
    """Judges rows of any number of series."""

    def update(self, asked: Asked) -> Verdicts:
        """Judge rows and learn from them."""
        ...

    def explain(self, telling: int, *, is_higher: bool) -> str:
        """Return in words what told most."""
        ...

    def forget(self, series: Ints) -> None:
        """Drop what is known of series."""
        ...
