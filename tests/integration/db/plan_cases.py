"""Cases of plans: a statement with parameters, and what it may touch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from core.settings import REPOSITORY
from db.queries import load_queries
from tests.fixtures.plans import back

PAGE: Final = 50
ONE: Final = "stream-0007"
START, STOP = back(days=17), back(days=10)
"""A week some time ago: two of many chunks."""


def _load_all() -> dict[str, str]:
    return {
        f"{file.stem}.{name}": text
        for file in sorted((REPOSITORY / "db").glob("*.sql"))
        for name, text in load_queries(file.stem).items()
    }


STATEMENTS: Final = _load_all()


@dataclass(frozen=True, slots=True)
class Case:
    """A statement with parameters, and what it may touch."""

    query: str
    parameters: tuple[Any, ...]
    rows_max: int = 2 * PAGE
    """Rows it may look at, in all tables together: a page, and the next row or two of a chunk."""

    start: datetime = START
    end: datetime = STOP
    filled: Mapping[str, str] = field(default_factory=lambda: {"stored": "true"})
    """What stands for the names in braces."""

    note: str = ""

    @property
    def text(self) -> str:
        """The statement as it is sent."""
        text = STATEMENTS[self.query]
        for name, value in self.filled.items():
            text = text.replace(f"{{{name}}}", value)
        return text

    def __str__(self) -> str:
        return f"{self.query} {self.note}".strip()


def case(query: str, *parameters: Any, **more: Any) -> Case:
    return Case(query, parameters, **more)
