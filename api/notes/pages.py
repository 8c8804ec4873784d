"""Pages of sessions: an export as HTML that needs nothing else, for screens and for paper.

    SessionExport ─► tables in words ─► session.html

Every text of somebody passes through the template, which escapes it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from api.pages.headers import SECURITY_HEADERS
from api.pages.papers import load_paper
from core.figures import find_severity, write_measure
from core.session_exports import SessionExport, write_snapshot, write_time

PAPER: Final = load_paper(Path(__file__).with_name("session.html"))

HEADERS: Final = {
    **SECURITY_HEADERS,
    # Whatever a text on it says: the page runs nothing and asks nobody for anything.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}

NUMBERS: Final = ("mean", "min", "max", "last")


def write_page(export: SessionExport) -> str:
    """Return an export as a page."""
    return PAPER.render(
        session=export.session,
        summary=export.summary,
        time=write_time,
        snapshot=write_snapshot,
        channels=[_describe_channel(row) for row in export.summary["channels"]],
        moments=[{**row, "severity": find_severity(row["score"])} for row in export.moments],
        notes=export.notes,
        transcripts=export.transcripts,
        exported_at=write_time(export.exported_at),
    )


def _describe_channel(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, **{name: write_measure(row[name]) for name in NUMBERS}}
