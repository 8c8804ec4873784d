"""Pages of sessions: an export as HTML that needs nothing else, for screens and for paper.

    SessionExport ─► tables in words ─► session.html

Every text of somebody passes through the template, which escapes it.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.pages.headers import SECURITY_HEADERS
from core.figures import find_severity, write_measure
from core.session_exports import SessionExport, write_snapshot, write_time

ENVIRONMENT: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

HEADERS: Final = {
    **SECURITY_HEADERS,
    # Whatever a text on it says: the page runs nothing and asks nobody for anything.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
}

NUMBERS: Final = ("mean", "min", "max", "last")


def write_page(export: SessionExport) -> str:
    """Return an export as a page."""
    return ENVIRONMENT.get_template("session.html").render(
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
