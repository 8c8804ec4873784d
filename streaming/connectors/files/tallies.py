"""Tallies: what became of all rows, and how it is told at the end."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

import polars as pl

from streaming.connectors.files.bodies import Body
from streaming.connectors.files.couriers import UNNAMED, Outcome

TOO_OLD: Final = "days in the past"
NO_TIME: Final = "neither ISO 8601 nor an epoch"

REASONS_MAX: Final = 50
"""So many different reasons are told apart in a summary; the file of rejected rows has them all."""

OTHERS: Final = "other reasons"

_MINUTE: Final = "1m"
_NOT_JSON: Final = "not JSON"


@dataclass(slots=True)
class Tally:
    """What became of the rows of one command."""

    rows: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    late: int = 0
    """Accepted, and too far behind their stream to count in a minute."""

    before: int = 0
    """Accepted by earlier runs of the same command."""

    def note(self, rows: int, outcome: Outcome) -> None:
        """Count what became of a body."""
        self.rows += rows
        self.accepted += outcome.accepted
        for reason, count in count_reasons(outcome).items():
            known = reason in self.rejected or len(self.rejected) < REASONS_MAX
            self.rejected[reason if known else OTHERS] += count

    @property
    def rejected_total(self) -> int:
        """How many events were refused."""
        return self.rejected.total()

    def describe(self, seconds: float) -> Mapping[str, object]:
        """Return the facts for programs."""
        return {
            "rows": self.rows,
            "accepted": self.accepted,
            "accepted_before": self.before,
            "rejected": self.rejected_total,
            "reasons": dict(self.rejected.most_common()),
            "late": self.late,
            "seconds": round(seconds, 3),
            "events_per_second": round(self.accepted / max(seconds, 1e-9)),
        }

    def tell(self, seconds: float) -> list[str]:
        """Return the facts for people, with a hint where something can be done."""
        rate = self.accepted / max(seconds, 1e-9)
        lines = [
            f"{self.rows:,} rows read, {self.accepted:,} events accepted,"
            f" {self.rejected_total:,} rejected in {seconds:.1f} s ({rate:,.0f} events/s)"
        ]
        if self.before:
            lines.append(f"{self.before:,} events had been accepted before")
        for reason, count in self.rejected.most_common():
            lines.append(f"  {count:,}: {reason}")
        lines += self._list_hints()
        return lines

    def _list_hints(self) -> list[str]:
        reasons = " ".join(self.rejected)
        hints = []
        if TOO_OLD in reasons:
            hints.append(
                "hint: INGEST_PAST_DAYS sets how old events may be;"
                " --shift-to-now moves them all so that the last one is now"
            )
        if NO_TIME in reasons:
            hints.append("hint: --time-format names how times are written, as '%d.%m.%Y %H:%M:%S'")
        if self.late:
            hints.append(
                f"{self.late:,} events lie far behind what their stream had sent before: they are"
                " kept as late and not counted in minutes; `telemetra replay --recompute` counts"
                " them. Files in the order of their times avoid that"
            )
        return hints


def count_reasons(outcome: Outcome) -> Counter[str]:
    """Return how often each reason was given, those of broken JSON as one."""
    reasons = (row.reason for row in outcome.rejected)
    counts = Counter(_NOT_JSON if text.startswith(_NOT_JSON) else text for text in reasons)
    if outcome.unnamed:
        counts[UNNAMED] += outcome.unnamed
    return counts


class LateTally:
    """Counts what comes too late for its minute, by the times sent so far."""

    def __init__(self, allowed: timedelta) -> None:
        self._allowed = allowed
        self._newest = pl.DataFrame(
            schema={"stream_id": pl.String, "newest": pl.Datetime("us", "UTC")}
        )

    def count(self, body: Body) -> int:
        """Return how many events of a body are late, and remember its times."""
        late = 0
        for piece in body.pieces:
            events = piece.events.select("stream_id", "timestamp")
            judged = events.join(self._newest, on="stream_id", how="left")
            open_from = (pl.col("newest") - self._allowed).dt.truncate(_MINUTE)
            late += judged.filter(pl.col("timestamp").dt.truncate(_MINUTE) < open_from).height
            found = events.group_by("stream_id").agg(newest=pl.col("timestamp").max())
            both = pl.concat([self._newest, found])
            self._newest = both.group_by("stream_id").agg(pl.col("newest").max())
        return late
