r"""Messages: lines of IRC with IRCv3 tags, taken apart in columns.

    @id=1;bits=5 :ada!ada@ada.tmi.twitch.tv PRIVMSG #northlight :hello there
     └─ tags ──┘  └nick                     └command └middle     └trailing

A line that is none has no command. In the values of tags ``\s`` is a space, ``\:`` a semicolon,
``\r`` and ``\n`` are ends of lines, ``\\`` is a backslash, and any other backslash is nothing.
"""

from typing import Final

import polars as pl

_LINE: Final = (
    r"(?s)^(?:@(?P<tags>[^ ]*) +)?"
    r"(?::(?P<nick>[^ !@]*)[^ ]* +)?"
    r"(?P<command>[A-Za-z]+|[0-9]{3})"
    r"(?: +(?P<middle>[^: ][^ ]*(?: +[^: ][^ ]*)*))?"
    r"(?: +:(?P<trailing>.*))? *$"
)

_KEPT: Final = "\x00"
"""Stands for a backslash while the others are read; it cannot be in a line of IRC."""


def read_messages(lines: list[str]) -> pl.DataFrame:
    """Return lines as columns: tags, nick, command, middle and trailing."""
    return pl.DataFrame({"line": lines}, schema={"line": pl.String}).select(
        pl.col("line").str.extract_groups(_LINE).struct.unnest()
    )


def read_tag(name: str) -> pl.Expr:
    """Build the column of a tag's values; null where there is none, or an empty one."""
    value = pl.col("tags").str.extract(f"(?:^|;){name}=([^;]+)")
    return _unescape(value).alias(name)


def _unescape(value: pl.Expr) -> pl.Expr:
    replaced = value.str.replace_all(r"\\", _KEPT, literal=True)
    for escape, meaning in ((r"\s", " "), (r"\:", ";"), (r"\r", "\r"), (r"\n", "\n")):
        replaced = replaced.str.replace_all(escape, meaning, literal=True)
    return replaced.str.replace_all("\\", "", literal=True).str.replace_all(
        _KEPT, "\\", literal=True
    )
