"""How the steps of a start are shown."""

import asyncio
import io
import os

import pytest
from rich.console import Console

from infra.cli.steps import (
    LiveRenderer,
    PipeRenderer,
    PlainRenderer,
    StepEvent,
    Steps,
    open_renderer,
    parse_event,
)


def _console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    text = io.StringIO()
    return Console(file=text, force_terminal=terminal, width=80), text


def test_a_step_is_a_line_when_it_is_over():
    console, text = _console(terminal=False)
    steps = Steps(PlainRenderer(console))
    with steps.step("Start api"):
        assert text.getvalue() == ""
    assert text.getvalue().startswith("Start api  0.")


@pytest.mark.parametrize(
    ("error", "words"),
    [(ValueError, "failed after"), (asyncio.CancelledError, "given up after")],
)
def test_a_step_that_fails_says_so(error, words):
    console, text = _console(terminal=False)
    with pytest.raises(error), Steps(PlainRenderer(console)).step("Start api"):
        raise error
    assert words in text.getvalue()


def test_a_terminal_gets_a_live_view_and_a_file_gets_lines():
    for terminal, kind in ((True, LiveRenderer), (False, PlainRenderer)):
        console, text = _console(terminal=terminal)
        with open_renderer(console) as renderer:
            assert isinstance(renderer, kind)
            with Steps(renderer).step("Start api"):
                pass
        assert "Start api" in text.getvalue()


def test_text_in_brackets_is_shown_as_it_is():
    console, text = _console(terminal=False)
    Steps(PlainRenderer(console)).note("got [bold]x[/bold] from [::1]")
    assert text.getvalue() == "got [bold]x[/bold] from [::1]\n"


def test_events_come_through_a_pipe_unchanged():
    source, sink = os.pipe()
    renderer = PipeRenderer(sink)
    events = [StepEvent("finished", "Start api", 1.5), StepEvent("error", "é", lines=("a", "b"))]
    for event in events:
        renderer.show(event)
    renderer.close()
    with os.fdopen(source, "rb") as pipe:
        assert [parse_event(line) for line in pipe] == events


def test_a_start_goes_on_when_nobody_listens():
    source, sink = os.pipe()
    os.close(source)
    renderer = PipeRenderer(sink)
    renderer.show(StepEvent("note", "anybody?"))
    renderer.close()
    renderer.show(StepEvent("note", "no"))
