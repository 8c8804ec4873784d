"""The measurement of the whole flow, with servers of its own, finds what a batch query finds."""

from pathlib import Path

import pytest

from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.rounds import check_agreement
from loadtest.peers import ours_bus, polars_batch
from loadtest.peers.tasks import Effort, sum_up


def test_the_rows_in_the_database_are_those_of_a_batch_query(
    results_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELEMETRA_BENCH_DIR", str(results_dir))
    file = provide_chats(results_dir, ChatOptions(events=12_000, streams=40, minutes=8))
    ours = ours_bus.measure(file, processes=1)
    query = sum_up("polars_batch", "1", Effort(1, 1), polars_batch.count_minutes(file))
    check_agreement([ours, query])
    assert ours.events == 12_000
    assert ours.seconds > 0
    assert not list(results_dir.glob("servers-*"))
