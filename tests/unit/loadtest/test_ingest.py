"""Ingest bench: bodies as senders write them, ratios within a round."""

from pathlib import Path

from core.arrow_events import read_arrow
from core.ndjson import read_ndjson
from loadtest.bench.ingest import (
    BODIES,
    EVENTS_A_BODY,
    Take,
    draw_bodies,
    judge,
    parse,
    write_lines,
    write_stream,
    write_tables,
)
from loadtest.bench.spreads import Spread
from loadtest.bench.wrks import write_posts


def test_both_formats_carry_the_same_events() -> None:
    frames = draw_bodies()
    assert [frame.height for frame in frames] == [EVENTS_A_BODY] * BODIES
    lines, _ = read_ndjson(write_lines(frames[0]))
    rows, _ = read_arrow(write_stream(frames[0]))
    assert rows.select(lines.columns).equals(lines)


def test_a_script_posts_every_body(tmp_path: Path) -> None:
    file = tmp_path / "posts.lua"
    write_posts(file, "/x", "text/plain", [b"a", b"b"])
    assert [(tmp_path / f"posts.{n}").read_bytes() for n in (0, 1)] == [b"a", b"b"]
    text = file.read_text(encoding="utf-8")
    assert f'io.open("{tmp_path}/posts." .. number' in text
    assert 'wrk.format("POST", "/x", headers' in text
    assert "(turn + 1) % 2" in text


def test_ratios_are_taken_within_a_round() -> None:
    takes = {name: [Take(100, 200, 0.1), Take(10, 20, 0.1)] for name in ("orjson", "nothing")}
    takes |= {name: [Take(70, 600_000, 0.1, 2, 9), Take(5, 10, 0.1, 2, 9)] for name in NAMES}
    found = {(v.target.ours, v.target.peer): v.found for v in judge(takes)}
    assert found["small", "nothing"] == Spread(0.6, 0.5, 0.7)
    assert found["ndjson", "orjson"].least == 0.5
    page = write_tables(takes)
    assert "÷ a route that does nothing, requests/s | ≥ 0.6 | 0.60 (0.50 to 0.70) | yes |" in page
    assert "| 300,005 (10 to 600,000) | **no** |" in page
    assert "| 0.10 | 2.0 ms | 9.0 ms |" in page


NAMES = ("ndjson", "arrow", "small")


def test_parsing_is_measured_by_its_lines() -> None:
    taken = parse([[b"{}"] * 1000] * 2)
    assert taken.rate > 0
    assert taken.core_rate > 0
