"""Sinks: the end of the dataflow, where changes go to the committer.

One partition a shard. Its snapshot waits until everything before it is committed: a flow that
begins there again has nothing to make up for.
"""

from bytewax.outputs import FixedPartitionedSink, StatefulSinkPartition
from typing_extensions import override

from core.changes import Changes
from streaming.flow.committers import Committer


class ShardSinkPartition(StatefulSinkPartition[Changes, None]):
    """Hands on the changes of one shard."""

    def __init__(self, committer: Committer) -> None:
        self._committer = committer

    @override
    def write_batch(self, values: list[Changes]) -> None:
        for changes in values:
            self._committer.submit(changes)

    @override
    def snapshot(self) -> None:
        self._committer.drain()


class TimescaleSink(FixedPartitionedSink[Changes, None]):
    """The database, one partition a shard."""

    def __init__(self, committer: Committer, *, shards: int) -> None:
        self._committer = committer
        self._shards = shards

    @override
    def list_parts(self) -> list[str]:
        return [str(shard) for shard in range(self._shards)]

    @override
    def part_fn(self, item_key: str) -> int:
        return int(item_key)

    @override
    def build_part(self, step_id: str, for_part: str, resume_state: None) -> ShardSinkPartition:
        return ShardSinkPartition(self._committer)
