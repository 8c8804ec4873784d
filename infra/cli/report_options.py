"""Report options: what the command line of ``telemetra report`` says."""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

EXAMPLES: Final = """\
Example: telemetra report northlight_live --from 24h --output yesterday.html
Example: telemetra report bench-07 --from 2026-01-26T10:00Z --to 2026-01-26T18:00Z --json
"""


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process with one line."""
    parser = ArgumentParser(
        prog="telemetra report",
        description="Write a page about a stream and a period: totals, charts, the best moments,"
        " beside the period before. A browser prints it as PDF.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("stream", metavar="STREAM", help="the id of a stream")
    add("--from", dest="start", default="24h", metavar="SPAN", help="as 24h, 7d, or a time (24h)")
    add("--to", dest="end", metavar="SPAN", help="as 1h before now, or a time (now)")
    add("--output", type=Path, metavar="FILE", help="- is stdout (report-STREAM.html)")
    add("--url", help="the API (the one that runs here)")
    add("--api-key", metavar="KEY", help="for an API that asks for one (API_KEY)")
    add("--json", action="store_true", help="what stands on the page, for programs")
    return parser.parse_args(arguments)
