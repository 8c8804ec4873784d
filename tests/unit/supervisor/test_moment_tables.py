"""Moments as people read them on the command line."""

import io
from typing import Any

from rich.console import Console

from api.moments.examples import DETAIL, MOMENT
from infra.cli.moment_tables import list_cells, print_life, print_moments


def write(show: Any, told: Any) -> str:
    console = Console(file=io.StringIO(), width=200)
    show(console, told)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_row_tells_when_where_what_how_much_and_what_became_of_it():
    assert list_cells(MOMENT) == (
        "2026-01-26 10:32",
        "northlight_live",
        "chat_spike",
        "5.60",
        "1310 against 240",
        "shelved until 2026-01-26 11:00",
        "Chat spike: 21.8 messages/s, expected 4/s, since 10:32 UTC",
        MOMENT["moment_id"],
    )
    over = {**MOMENT, "state": "open", "shelved_until": None, "ended_at": "2026-01-26T10:35:00Z"}
    assert list_cells(over)[5] == "open, over"
    assert list_cells({**over, "metadata": {"withdrawn": True}})[5] == "open, withdrawn"


def test_a_table_shows_brackets_as_they_are():
    text = write(print_moments, [{**MOMENT, "stream_id": "a[bold]b", "description": "[red]x"}])
    assert "a[bold]b" in text
    assert "[red]x" in text


def test_a_moment_is_shown_with_its_reasons_and_its_life():
    reasons = [
        {"kind": "metric", "name": "avg_viewers", "text": "avg_viewers rose"},
        {"kind": "message", "name": "ada", "text": "what [is] going on"},
        "odd",
    ]
    lines = write(print_life, {**DETAIL, "reasons": reasons}).splitlines()
    because = [line.removeprefix("because ") for line in lines if line.startswith("because")]
    assert because == ["avg_viewers rose", "ada: what [is] going on", "odd"]
    life = [line.removeprefix("life    ") for line in lines if line.startswith("life")]
    assert life == [
        "2026-01-26 10:34 control room acknowledge, label true: A raid of 900 from aurora_live.",
        "2026-01-26 10:40 control room shelve",
    ]
    assert lines[-1] == "may     acknowledge, shelve, mute, resolve, reopen"
