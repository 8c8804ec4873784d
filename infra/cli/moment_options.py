"""Moment options: what the command line of ``telemetra moments`` says."""

import argparse
import math
from argparse import SUPPRESS, ArgumentParser, Namespace
from collections.abc import Sequence
from typing import Final, NoReturn

LIMIT_USUAL: Final = 50
LIMIT_MAX: Final = 10_000

ACTIONS: Final = {
    "ack": ("acknowledge", "say that somebody has seen it"),
    "shelve": ("shelve", "put it away until a time"),
    "mute": ("mute", "put it away until it is over"),
    "resolve": ("resolve", "say that it needs nobody any more"),
    "reopen": ("reopen", "undo any of these"),
}
LABELS: Final = {"true": True, "false": False, "none": None}

EXAMPLES: Final = """\
Example: telemetra moments --state open --since 2h
Example: telemetra moments --stream northlight_live --follow
Example: telemetra moments shelve mom_5f0c8e1b7a2d94366e01 --until 2h --comment "Known test"
Example: telemetra moments label mom_5f0c8e1b7a2d94366e01 false
"""


class _Parser(ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say in one line what is wrong."""
        self.exit(2, f"{self.prog}: {message}\n")


def read_options(arguments: Sequence[str]) -> Namespace:
    """Read the command line; ``does`` is None for a list, a wrong value ends the process."""
    parser = _Parser(
        prog="telemetra moments",
        description="List what is unusual, newest first; see one, and do something with it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    _add_place(parser, is_first=True)
    _add_list(parser)
    commands = parser.add_subparsers(dest="does", metavar="COMMAND", parser_class=_Parser)
    _add_command(commands, "show", "why it is one, what people did with it, what may be done now")
    for name, (_, text) in ACTIONS.items():
        command = _add_command(commands, name, text)
        command.add_argument("--comment", metavar="TEXT", help="what there is to say about it")
        if name == "shelve":
            until = "as 2h or 7d from now, or a time"
            command.add_argument("--until", metavar="SPAN", required=True, help=until)
    label = _add_command(
        commands, "label", "say whether it was a true one, for `telemetra backtest`"
    )
    label.add_argument("label", choices=list(LABELS), help="none takes it off")
    label.add_argument("--comment", metavar="TEXT", help="what there is to say about it")
    return parser.parse_args(arguments)


def _add_list(parser: ArgumentParser) -> None:
    add = parser.add_argument_group("which are listed").add_argument
    add("--stream", metavar="ID", help="only this stream")
    add("--type", metavar="TYPE", help="as chat_spike")
    add("--state", metavar="STATE", help="open, acknowledged, shelved or resolved")
    add("--min-score", metavar="SCORE", type=_read_score, help="moments begin at 1.0")
    add("--since", metavar="SPAN", help="as 2h, 30m, 7d, or a time")
    add(
        "--limit",
        metavar="N",
        type=_read_limit,
        default=LIMIT_USUAL,
        help="the newest so many (%(default)s)",
    )
    add("--follow", action="store_true", help="oldest first, and on until Ctrl-C")


def _add_command(
    commands: "argparse._SubParsersAction[_Parser]", name: str, text: str
) -> ArgumentParser:
    command = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    command.add_argument("moment_id", metavar="ID", help="as the list shows it")
    _add_place(command, is_first=False)
    return command


def _add_place(parser: ArgumentParser, *, is_first: bool) -> None:
    """Let the API be named before and behind a command; what is not said behind stays."""
    add, unset = parser.add_argument, None if is_first else SUPPRESS
    add("--url", default=unset, help="the API (the one that runs here)")
    add("--api-key", metavar="KEY", default=unset, help="for an API that asks for one (API_KEY)")
    add("--json", action="store_true", default=False if is_first else SUPPRESS, help="for programs")


def _read_score(text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not 0 <= score <= 1e9:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0")
    return score


def _read_limit(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= LIMIT_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number 1 to {LIMIT_MAX}")
    return int(text)
