"""Probes: when the n-th message of a stream was acknowledged, and when it was seen.

Probe streams get one message at a time. A message is seen when the counts of the stream's minutes
add up to at least its number, so that no message needs a mark of its own.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True)
class Sightings:
    """How long after its acknowledgement each message was seen in one place."""

    acknowledged: Mapping[str, list[float]]
    """For each stream, when each message was acknowledged, in order."""

    delays: list[float] = field(default_factory=list)
    _seen: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    _counts: defaultdict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))

    def see_minute(self, stream_id: str, minute: str, count: int, at: float) -> None:
        """Note what a minute of a stream counts now; other streams are passed over."""
        if stream_id in self.acknowledged:
            counts = self._counts[stream_id]
            counts[minute] = max(count, counts.get(minute, 0))
            self.see_total(stream_id, sum(counts.values()), at)

    def see_total(self, stream_id: str, total: int, at: float) -> None:
        """Note how many messages of a stream are seen now.

        What is seen before its acknowledgement came back waited for nothing.
        """
        times = self.acknowledged[stream_id]
        first = self._seen[stream_id]
        self.delays += [max(at - known, 0.0) for known in times[first:total]]
        self.delays += [0.0] * (total - max(first, len(times)))
        self._seen[stream_id] = max(first, total)

    def has_all(self) -> bool:
        """Tell whether every acknowledged message was seen."""
        return all(self._seen[name] >= len(times) for name, times in self.acknowledged.items())
