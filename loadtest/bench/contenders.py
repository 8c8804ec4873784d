"""Contenders: who is measured, what each needs, and what is expected of ours beside it."""

import importlib.util
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Contender:
    """Somebody who does the task; ``python -m loadtest.peers.<name>``."""

    name: str
    label: str
    needs: tuple[str, ...] = ()
    """Packages, and programs with a leading ``!``."""

    arguments: tuple[str, ...] = ()

    @property
    def is_ours(self) -> bool:
        """Whether it is this project."""
        return self.name.startswith("ours_")

    def find_lack(self) -> str | None:
        """Return what is missing here to run it, or None."""
        for need in self.needs:
            program = need.removeprefix("!")
            if need.startswith("!") and shutil.which(program) is None:
                return f"{program} is not installed"
            if not need.startswith("!") and importlib.util.find_spec(need) is None:
                return f"the package {need} is not installed"
        return None


@dataclass(frozen=True, slots=True)
class Target:
    """How many times as fast as a peer one of ours should be."""

    ours: str
    peer: str
    least: float


CONTENDERS: Final = (
    Contender("ours_lines", "Telemetra, lines to minutes"),
    Contender("ours_bus", "Telemetra, bus to committed rows"),
    Contender("bytewax_events", "Bytewax, event by event", ("bytewax",)),
    Contender("pathway_events", "Pathway", ("pathway",)),
    Contender("spark_stream", "Spark structured streaming", ("pyspark", "!java")),
    Contender("polars_batch", "Polars, one query", ("polars",)),
    Contender("duckdb_batch", "DuckDB, one query", ("duckdb",)),
)

TARGETS: Final = (
    Target("ours_lines", "bytewax_events", 4),
    Target("ours_lines", "pathway_events", 3),
    Target("ours_lines", "duckdb_batch", 0.2),
    Target("ours_bus", "bytewax_events", 8),
)

PEERS: Final = ("bytewax_events", "pathway_events", "duckdb_batch")
"""Against whom the ratios of the table are."""


def choose_contenders(only: Sequence[str]) -> tuple[Contender, ...]:
    """Return the contenders of these names, or all."""
    return tuple(contender for contender in CONTENDERS if not only or contender.name in only)
