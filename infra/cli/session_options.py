"""Session options: what the command line of ``telemetra session`` says."""

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Final

EXAMPLES: Final = """\
Example: telemetra session create "Hot start" --stream bench-07
Example: telemetra session note sess_0123456789abcdef "Valve opened by hand." --tag valve
Example: telemetra session export sess_0123456789abcdef --format html
"""

SUFFIXES: Final = {"markdown": "md", "json": "json", "html": "html"}
LISTED_MAX: Final = 1000


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; a wrong value ends the process with one line."""
    parser = ArgumentParser(
        prog="telemetra session",
        description="Begin, note, end and export sessions of a test bench.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    does = parser.add_subparsers(dest="does", required=True, metavar="COMMAND")
    listed = _add(does, "list", "list sessions, newest first")
    listed.add_argument("--status", choices=("active", "ended"), help="only these")
    listed.add_argument(
        "--limit", type=_read_limit, default=50, metavar="N", help="at most so many (50)"
    )
    made = _add(does, "create", "begin a session and print its id")
    made.add_argument("name", metavar="NAME")
    made.add_argument("--description", metavar="TEXT")
    made.add_argument(
        "--stream", action="append", default=[], metavar="ID", help="it looks at; may be repeated"
    )
    note = _add(does, "note", "write a note and print its id")
    _add_session(note)
    note.add_argument("content", metavar="TEXT")
    note.add_argument("--at", metavar="TIME", help="as 2m ago, written 2m, or a time (now)")
    note.add_argument("--speaker", metavar="NAME")
    note.add_argument("--type", choices=("observation", "command", "system"), default="observation")
    note.add_argument("--tag", action="append", default=[], metavar="TAG")
    _add_session(_add(does, "end", "end a session and say what it comes to"))
    export = _add(does, "export", "write a session into a file")
    _add_session(export)
    export.add_argument("--format", choices=tuple(SUFFIXES), default="markdown")
    export.add_argument("--output", type=Path, metavar="FILE", help="- is stdout (SESSION.md)")
    return parser.parse_args(arguments)


def _add(
    does: "argparse._SubParsersAction[ArgumentParser]", name: str, words: str
) -> ArgumentParser:
    parser = does.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
    parser.add_argument("--url", help="the API (the one that runs here)")
    parser.add_argument("--api-key", metavar="KEY", help="for an API that asks for one (API_KEY)")
    parser.add_argument("--json", action="store_true", help="for programs")
    return parser


def _add_session(parser: ArgumentParser) -> None:
    parser.add_argument("session", metavar="SESSION", help="sess_…, as `list` shows it")


def _read_limit(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) <= LISTED_MAX:
        raise argparse.ArgumentTypeError(f"is a number from 1 to {LISTED_MAX}")
    return int(text)
