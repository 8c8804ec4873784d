"""Queries: SQL kept beside its store, in named blocks.

-- select_open_moments          the name, alone on its line
-- What it answers, in words.   comments, for readers
SELECT …;                       one statement
"""

import re
from typing import Final

from core.settings import REPOSITORY

_NAME: Final = re.compile(r"^-- ([a-z_]+)$", re.MULTILINE)


def load_queries(noun: str) -> dict[str, str]:
    """Return the statements of ``db/<noun>.sql`` by name."""
    text = (REPOSITORY / "db" / f"{noun}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return {
        name: body.strip().rstrip(";") for name, body in zip(parts[1::2], parts[2::2], strict=True)
    }
