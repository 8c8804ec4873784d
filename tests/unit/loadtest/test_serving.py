"""Serving and freshness: what wrk prints is read, ratios are taken within a round."""

from pathlib import Path

import pytest

from loadtest.bench.delay import Delays
from loadtest.bench.freshness import Found, write_found
from loadtest.bench.serving import TARGETS, Standing, judge, write_tables
from loadtest.bench.spreads import Spread
from loadtest.bench.wrks import Shot, WrkError, read_shot, write_script

PRINTED = """Running 3s test @ http://127.0.0.1:4000/x
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.40ms    1.24ms  21.12ms   95.60%
  Latency Distribution
     50%  853.00us
     75%    1.30ms
     90%    2.40ms
     99%    1.05s
  75012 requests in 3.00s, 1.25GB read
Requests/sec:  24987.45
Transfer/sec:    427.01MB
"""


def test_what_wrk_prints_is_read_in_its_own_units() -> None:
    assert read_shot(PRINTED) == Shot(24987.45, 0.853, 1050.0)


@pytest.mark.parametrize(
    "wrong", ["Non-2xx or 3xx responses: 7", "Socket errors: connect 0, read 1, write 0, timeout 0"]
)
def test_a_run_with_other_answers_than_good_ones_is_none(wrong: str) -> None:
    with pytest.raises(WrkError, match=wrong[:10]):
        read_shot(f"{PRINTED}  {wrong}\n")
    with pytest.raises(WrkError):
        read_shot("unable to connect")


def test_a_script_asks_for_another_end_each_time(tmp_path: Path) -> None:
    file = tmp_path / "miss.lua"
    write_script(file, "/x?limit=60", 2_000_000_000_000)
    text = file.read_text(encoding="utf-8")
    assert "end_ms = 2000000000000\n" in text
    assert '"/x?limit=60&end="' in text


def test_ratios_are_taken_within_a_round() -> None:
    names = {name for target in TARGETS for name in (target.ours, target.peer)}
    shots = {name: [Shot(100.0, 1, 2), Shot(10.0, 1, 2)] for name in names}
    shots["keys"] = [Shot(70.0, 1, 2), Shot(8.0, 1, 2)]
    verdicts = {(v.target.ours, v.target.peer): v.found for v in judge(shots)}
    assert verdicts["keys", "bare"] == Spread(0.75, 0.7, 0.8)
    standings = [Standing(name, name, Spread(1, 1, 1), 0.5, 9.25, 51.4) for name in sorted(names)]
    page = write_tables(standings, judge(shots))
    assert "| keys ÷ bare | ≥ 0.6 | 0.75 (0.70 to 0.80) | yes |" in page
    assert "| keys ÷ usual | ≥ 5 | 0.75 (0.70 to 0.80) | **no** |" in page
    assert "0.50 ms | 9.25 ms | 51 µs |" in page


def test_late_answers_are_told() -> None:
    page = write_found(Found(2, 1, Delays.of([0.01, 0.02, 0.03, 0.2]), 99))
    assert "| later than 100 ms | 1 |" in page
    assert "| most | 200.0 ms |" in page
