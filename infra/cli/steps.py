"""Steps: what a start is made of, shown while it happens.

Steps -> StepEvent -> Renderer: a live view, plain lines, or a pipe to whoever waits
"""

import os
import time
from asyncio import CancelledError
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, Literal, Protocol

import orjson
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

StepKind = Literal["begun", "finished", "failed", "given_up", "note", "ready", "error"]

ENDINGS: Final = frozenset({"finished", "failed", "given_up"})


@dataclass(frozen=True, slots=True)
class StepEvent:
    """Something that people should see about a start."""

    kind: StepKind
    text: str
    """The step, the note, or the error."""

    seconds: float = 0.0
    lines: tuple[str, ...] = ()
    """With an error: the end of the log of what failed."""


class Renderer(Protocol):
    """Shows events."""

    def show(self, event: StepEvent) -> None:
        """Show one event."""
        ...

    def close(self) -> None:
        """Show no more steps; a second call does nothing."""
        ...


class Steps:
    """Measures steps and tells a renderer."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer

    @contextmanager
    def step(self, text: str) -> Iterator[None]:
        """Show a step for the length of the block."""
        begun_s = time.monotonic()
        self._renderer.show(StepEvent("begun", text))
        try:
            yield
        except BaseException as error:
            kind: StepKind = "given_up" if isinstance(error, CancelledError) else "failed"
            self._renderer.show(StepEvent(kind, text, time.monotonic() - begun_s))
            raise
        self._renderer.show(StepEvent("finished", text, time.monotonic() - begun_s))

    def note(self, text: str) -> None:
        """Show a line."""
        self._renderer.show(StepEvent("note", text))


class PlainRenderer:
    """Writes a line when something is over; for files, pipes and CI."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def show(self, event: StepEvent) -> None:
        """Write an event that is worth a line."""
        match event.kind:
            case "finished":
                self._print(f"{event.text}  {event.seconds:.1f} s")
            case "failed":
                self._print(f"{event.text}  failed after {event.seconds:.1f} s")
            case "given_up":
                self._print(f"{event.text}  given up after {event.seconds:.1f} s")
            case "note":
                self._print(event.text)
            case _:
                return

    def close(self) -> None:
        """Do nothing: every line is complete."""

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


class LiveRenderer:
    """Shows running steps with a spinner and their time; for terminals."""

    def __init__(self, console: Console) -> None:
        self._plain = PlainRenderer(console)
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._progress.start()

    def show(self, event: StepEvent) -> None:
        """Draw an event."""
        if event.kind == "begun":
            self._tasks[event.text] = self._progress.add_task(event.text, total=None)
        elif event.kind in ENDINGS and event.text in self._tasks:
            self._progress.remove_task(self._tasks.pop(event.text))
        self._plain.show(event)

    def close(self) -> None:
        """Stop drawing; the lines of what is over stay."""
        self._progress.stop()


class PipeRenderer:
    """Sends events to the process that waits for a detached start, as long as it listens."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor
        os.set_inheritable(descriptor, False)

    def show(self, event: StepEvent) -> None:
        """Send an event; the start goes on when nobody reads."""
        if self._descriptor is None:
            return
        with suppress(BrokenPipeError):
            os.write(self._descriptor, orjson.dumps(event) + b"\n")

    def close(self) -> None:
        """Say that nothing more comes."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def parse_event(line: bytes) -> StepEvent:
    """Read back what a ``PipeRenderer`` sent."""
    fields = orjson.loads(line)
    return StepEvent(**{**fields, "lines": tuple(fields["lines"])})


@contextmanager
def open_renderer(console: Console) -> Iterator[Renderer]:
    """Choose how to show steps on this console."""
    renderer = LiveRenderer(console) if console.is_terminal else PlainRenderer(console)
    try:
        yield renderer
    finally:
        renderer.close()
