"""Exports: readable tables, plain words, and nothing of a text that could act."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from rich.markdown import Markdown

from core.session_exports import (
    SessionExport,
    escape_cell,
    escape_line,
    write_json,
    write_markdown,
    write_time,
)
from tests.fixtures.clocks import START

HOSTILE = (
    "<img src=x onerror=y> | a\r\n# b\u2028- c\n1. d `e` *f* [g](h) \u202eevil\u202c & ~i~ \x07"
)


def make_export(**more: Any) -> SessionExport:
    note = {
        "timestamp": START,
        "speaker": None,
        "author": "me",
        "type": "observation",
        "content": "seen",
        "tags": ["a"],
        "telemetry_snapshot": {"t": {"value": 1.5, "unit": "V", "timestamp": START}, "u": [1]},
    }
    given: dict[str, Any] = {
        "session": {
            "id": "sess_1",
            "name": "Hot",
            "description": "",
            "status": "active",
            "started_at": START,
            "ended_at": None,
            "stream_ids": [],
        },
        "summary": {"duration_s": 1.5, "notes": {"system": 2}, "moments": {}, "channels": []},
        "notes": [note | more.pop("note", {})],
        "moments": [],
        "transcripts": [],
        "exported_at": START,
    }
    return SessionExport(**(given | more))


def list_tables(text: str) -> list[list[str]]:
    """Return the lines of each table."""
    tables: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            tables[-1].append(line)
        elif tables[-1]:
            tables.append([])
    return [table for table in tables if table]


def test_times_have_a_z_whatever_their_zone():
    east = START.astimezone(timezone(timedelta(hours=5)))
    assert write_time(east) == write_time(START)
    assert write_time(datetime(2026, 1, 26, 10, tzinfo=UTC)) == "2026-01-26T10:00:00Z"
    assert write_time(datetime(2026, 1, 26, 10, 0, 0, 250_000, tzinfo=UTC)).endswith("00.250Z")
    assert write_time(None) == "–"  # noqa: RUF001


def test_every_row_of_every_table_has_its_cells_whatever_is_written():
    moment = {
        "started_at": START,
        "ended_at": None,
        "stream_id": "bench",
        "score": 2.0,
        "description": HOSTILE,
        "reasons": [{"text": HOSTILE}],
    }
    channel = {"channel": "t", "unit": HOSTILE, "count": 1}
    numbers = dict.fromkeys(("mean", "min", "max", "last"), 1.0)
    summary = {"duration_s": 1, "notes": {}, "moments": {}, "channels": [channel | numbers]}
    export = make_export(
        note={"content": HOSTILE, "speaker": HOSTILE, "tags": [HOSTILE]},
        moments=[moment],
        summary=summary,
        transcripts=[{"timestamp": START, "transcript": HOSTILE}],
    )
    tables = list_tables(write_markdown(export))
    assert len(tables) == 5
    for table in tables:
        bars = {line.replace("\\|", "").count("|") for line in table}
        assert len(bars) == 1, table


@pytest.mark.parametrize("field", ["name", "description"])
def test_what_is_written_opens_no_heading_list_tag_or_link(field: str):
    export = make_export()
    text = write_markdown(make_export(session={**export.session, field: HOSTILE}))
    for sign in ("<img", "\n# b", "\n- c", "\n1. d", "[g](", "\u202e", "\u2028", "\x07"):
        assert sign not in text, sign
    assert Markdown(text)


def test_a_cell_keeps_its_lines_and_a_line_does_not():
    assert escape_cell("a\nb|c") == "a<br>b\\|c"
    assert escape_line("a\nb") == "a b"
    assert escape_line("&lt;") == "&amp;lt;"


def test_words_of_types_and_values_are_those_of_people():
    text = write_markdown(make_export())
    assert "| me | observation | seen | a | t 1.5 V<br>u \\[1\\] |" in text
    assert "2 system" in text
    assert "Moments | none" in text


def test_the_json_holds_all_of_it():
    told = orjson.loads(write_json(make_export()))
    assert set(told) == {
        *("exported_at", "session", "summary", "notes", "moments", "transcripts"),
    }
    assert told["notes"][0]["timestamp"].endswith("Z")
