"""Queries: SQL kept beside its store, in named blocks.

-- select_open_moments          the name, alone on its line
-- What it answers, in words.   comments, for readers
SELECT …;                       one statement

Each statement is sent with its noun and name in front, so that the server's own lists of what runs
and what is slow name it as our log does.
"""

import re
from typing import Final

from core.settings import REPOSITORY

_NAME: Final = re.compile(r"^-- ([a-z_]+)$", re.MULTILINE)
_NAMED: Final = re.compile(r"/\* ([a-z_]+\.[a-z_]+) \*/ ")


def load_queries(noun: str) -> dict[str, str]:
    """Return the statements of ``db/<noun>.sql`` by name."""
    text = (REPOSITORY / "db" / f"{noun}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {
        name: f"/* {noun}.{name} */ {body.strip().rstrip(';')}"
        for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }


def name_query(statement: str) -> str:
    """Return ``noun.name`` of a statement; one that was not loaded here is ``unnamed``."""
    match = _NAMED.match(statement)
    return "unnamed" if match is None else match[1]
