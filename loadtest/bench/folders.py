"""Folders: where measurements keep their files and leave their results."""

import os
import tempfile
from pathlib import Path
from typing import Final

from core.settings import REPOSITORY

RESULTS: Final = REPOSITORY / "loadtest" / "results"


def find_bench_folder() -> Path:
    """Return the folder for files that are made once: TELEMETRA_BENCH_DIR, or a temporary one.

    It should lie on the kind of disk that the product would use, because the servers do.
    """
    named = os.environ.get("TELEMETRA_BENCH_DIR")  # noqa: TID251 - a tool's own variable.
    return Path(named).resolve() if named else Path(tempfile.gettempdir()) / "telemetra-bench"
