"""Storms: a short one of those that ``python -m loadtest.storms`` makes."""

import asyncio
from pathlib import Path

from loadtest.bench.servers import run_servers
from loadtest.storms.storms import StormOptions, weather_storm


def test_no_minute_is_wrong_after_kills_rescaling_and_outages(tmp_path: Path) -> None:
    options = StormOptions(
        kills=3,
        pause_s_max=1.5,
        processes=(2, 3, 1),
        events=30_000,
        seed=11,
        outage_s=4,
        restarts_redis=True,
    )
    with run_servers(tmp_path / "storm") as servers:
        report = asyncio.run(weather_storm(servers, options))
    assert report.findings == []
    assert report.is_calm, (report.verified, report.changed)
    assert len(report.kills) == options.kills
    assert report.sent > options.events
    assert report.late > 0
