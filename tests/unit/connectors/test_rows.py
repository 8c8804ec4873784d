"""Rows: good ones become lines that say the same, bad ones are all named."""

from datetime import timedelta
from pathlib import Path

import orjson
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from core.clock import ManualClock
from core.events import TimePolicy
from streaming.connectors.rows import check_rows, decode_texts, write_lines
from tests.fixtures.outlets import make_gate
from tests.unit.simulator.scripted_apis import ScriptedApi

TEXTS = st.text()


@given(st.lists(st.tuples(TEXTS, st.lists(TEXTS) | st.none()), min_size=1))
def test_lines_say_what_the_columns_say(rows: list[tuple[str, list[str] | None]]):
    schema = pl.Schema({"text": pl.String(), "emotes": pl.List(pl.String())})
    lines = write_lines(pl.DataFrame(rows, schema=schema, orient="row").with_row_index())
    read = [orjson.loads(line) for line in lines]
    assert [(row["text"], row.get("emotes")) for row in read] == rows


def test_all_bad_rows_are_named_and_only_good_ones_are_written(clock: ManualClock):
    times = [clock.now() - timedelta(seconds=age) for age in (0, 5, 9)]
    raw = pl.DataFrame(
        {
            "index": [4, 5, 6],
            "stream_id": ["a", "a b", "c"],
            "type": ["viewers"] * 3,
            "timestamp": [time.isoformat() for time in times],
            "value": [1.0, 2.0, None],
        }
    )
    rows = check_rows(raw, now=clock.now(), policy=TimePolicy())
    assert [orjson.loads(line)["stream_id"] for line in rows.lines] == ["a"]
    assert rows.newest_ms == clock.now_ms()
    assert [(row.index, row.reason.split(" is ")[0]) for row in rows.rejected] == [
        (5, "stream_id"),
        (6, "value"),
    ]


def test_nothing_is_nothing(clock: ManualClock):
    rows = check_rows(pl.DataFrame(), now=clock.now(), policy=TimePolicy())
    assert (rows.lines, rows.newest_ms, rows.rejected) == ([], 0, [])


def test_what_a_connector_refuses_itself_is_counted_and_kept(tmp_path: Path):
    path = tmp_path / "refused.ndjson"
    with ScriptedApi() as api, make_gate(api.url, path=path) as gate:
        gate.outlet.refuse([(b"nonsense", "not JSON"), (b"\xff", "not JSON")])
        assert (gate.health.accepted, gate.health.refused) == (0, 2)
        assert gate.refusals.by_reason == {"not JSON": 2}
    rows = [orjson.loads(line) for line in path.read_bytes().splitlines()]
    assert [row["row"] for row in rows] == ["nonsense", "\N{REPLACEMENT CHARACTER}"]


def test_bytes_that_are_no_text_are_none():
    assert decode_texts([b"a", None, "é".encode()]).to_list() == ["a", None, "é"]
    assert decode_texts([b"a", None, b"\xff"]).to_list() == ["a", None, None]
