"""Flames: where the flow's time goes while it works off a backlog, as a picture.

    python -m loadtest.bench.flames

py-spy looks into the running process two hundred times a second; a box is as wide as the share of
those looks in which the function was at work, and hangs below the one that called it. Drawn are
the threads that read ahead, merge and commit, idle time left out.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from datetime import timedelta
from html import escape
from pathlib import Path
from typing import Final

from loadtest.bench.catch_ups import measure_catch_up, start_flows
from loadtest.bench.charts import STYLE
from loadtest.bench.chats import ChatOptions, provide_chats
from loadtest.bench.feeds import Follower, fill_bus, find_ends
from loadtest.bench.folders import RESULTS, find_bench_folder
from loadtest.bench.servers import run_servers

EVENTS: Final = 4_000_000
LOOKS_A_SECOND: Final = 200
SECONDS_MAX: Final = 60

WIDTH: Final = 1200
ROW: Final = 18
TOP: Final = 44
LEAST_SHARE: Final = 0.004
"""Narrower boxes hold no letter; they are left out."""

LETTER: Final = 6.2
"""About the width of a letter."""

LIBRARY_DEPTH: Final = 3
"""Calls inside a library that are still drawn."""

IDLE: Final = ("Condition.wait", "importlib")
"""Waiting, and what happens once after a start."""


COLOURS: Final = {"(streaming/": "#8db4ff", "(core/": "#ffc48a", "(db/": "#9fd9b0"}


@dataclass(slots=True)
class Box:
    """One function, called by those above it."""

    name: str
    looks: int = 0
    calls: dict[str, "Box"] = field(default_factory=dict)


def gather_stacks(lines: Iterable[str]) -> Box:
    """Return the stacks of py-spy's raw format as one tree, from our first function on."""
    root = Box("flow")
    for line in lines:
        stack, _, looks = line.rpartition(" ")
        functions = stack.split(";")
        first = next((at for at, name in enumerate(functions) if _is_work(name)), None)
        if first is None or any(part in stack for part in IDLE):
            continue
        last = max(at for at, name in enumerate(functions) if _is_ours(name))
        box = root
        box.looks += int(looks)
        for name in functions[first : last + 1 + LIBRARY_DEPTH]:
            box = box.calls.setdefault(_shorten(name), Box(_shorten(name)))
            box.looks += int(looks)
    return root


def draw_flames(root: Box, title: str) -> str:
    """Return the tree as a picture."""
    boxes = list(_place(root, 0.0, 0, WIDTH / max(root.looks, 1)))
    height = TOP + ROW * (1 + max(depth for _, _, _, depth in boxes)) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}"'
        f' width="{WIDTH}" height="{height}" role="img" aria-label="{escape(title)}">',
        f"<style>{STYLE}text.box {{ font-size: 11px; fill: #1f2430 }}</style>",
        f'<text class="title" x="8" y="26">{escape(title)}</text>',
        *(_draw(box, x, width, depth, root.looks) for box, x, width, depth in boxes),
    ]
    return "\n".join([*parts, "</svg>", ""])


def _is_work(name: str) -> bool:
    return name.startswith(("ShardLogic.", "Lookahead._fetch", "Committer._commit"))


def _is_ours(name: str) -> bool:
    return any(folder in name for folder in COLOURS)


def _shorten(name: str) -> str:
    """Leave out where in a function a look fell: ``apply (core/rows.py:12)``."""
    function, _, place = name.partition(" (")
    return f"{function} ({place.split(':')[0].rstrip(')')})" if place else function


def _place(box: Box, x: float, depth: int, scale: float) -> Iterator[tuple[Box, float, float, int]]:
    """Yield each box with its left edge, its width and its depth, the widest first."""
    for call in sorted(box.calls.values(), key=lambda call: -call.looks):
        width = call.looks * scale
        if width >= WIDTH * LEAST_SHARE:
            yield call, x, width, depth
            yield from _place(call, x, depth + 1, scale)
        x += width


def _draw(box: Box, x: float, width: float, depth: int, looks: int) -> str:
    y = TOP + ROW * depth
    share = f"{100 * box.looks / looks:.1f} %"
    colour = _choose_colour(box.name)
    label = box.name.split(" (")[0][: max(0, int((width - 6) / LETTER))]
    return (
        f'<g><title>{escape(box.name)}: {share}</title><rect x="{x:.1f}" y="{y}"'
        f' width="{max(width - 1, 0.5):.1f}" height="{ROW - 1}" rx="2" fill="{colour}"/>'
        f'<text class="box" x="{x + 4:.1f}" y="{y + 12.5}">{escape(label)}</text></g>'
    )


def _choose_colour(name: str) -> str:
    """Ours, by folder; what libraries do is grey."""
    return next((colour for folder, colour in COLOURS.items() if folder in name), "#cfd4dc")


def main() -> None:
    """Record, draw and save."""
    parser = argparse.ArgumentParser(prog="python -m loadtest.bench.flames")
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the picture goes")
    options = parser.parse_args()
    chats = ChatOptions(events=options.events)
    folder = find_bench_folder()
    stacks = folder / "stacks.txt"
    with run_servers(folder) as servers, ExitStack() as stack:
        end = chats.started_at + timedelta(minutes=chats.minutes + 1)
        fill_bus(servers, provide_chats(folder, chats), now=end)
        ends = find_ends(servers)
        follower = stack.enter_context(closing(Follower(servers)))
        flows = start_flows(servers, 1, stack)
        flows[0].wait_until(lambda: bool(flows[0].list_events("shard_opened")), SECONDS_MAX)
        recorder = subprocess.Popen(
            [
                *(str(Path(sys.executable).parent / "py-spy"), "record", "--format", "raw"),
                *("--pid", str(flows[0].meter.pid), "--rate", str(LOOKS_A_SECOND)),
                *("--duration", str(SECONDS_MAX), "--output", str(stacks)),
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        measure_catch_up(flows, follower, ends, options.events)
    recorder.wait()
    with stacks.open() as lines:
        picture = draw_flames(gather_stacks(lines), "The flow behind a backlog of chat")
    options.results.mkdir(parents=True, exist_ok=True)
    (options.results / "flames.svg").write_text(picture)


if __name__ == "__main__":
    main()
