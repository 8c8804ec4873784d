"""Notes: what people and the system write down during a session, and every version of it.

    written ── changed ──► the version before is kept, with who and when
       └─ deleted ──► hidden ── restored ──► as it was

Pure. ``db.notes`` keeps them, ``api.notes`` serves them, ``streaming.jobs.moment_notes`` writes
those of moments.
"""

import secrets
from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

CONTENT_LENGTH_MAX: Final = 100_000
"""Signs of a note: fifty pages, what a log that is pasted may have."""

SPEAKER_LENGTH_MAX: Final = 200
TAG_LENGTH_MAX: Final = 100
TAGS_MAX: Final = 50

SNAPSHOT_BYTES_MAX: Final = 262_144
"""Of a snapshot that comes with a note, as JSON: a thousand channels."""

VERSIONS_MAX: Final = 200
"""Of one note; who writes on and on writes another note."""

NOTE_PATTERN: Final = r"^note_[0-9a-f]{8,32}$"

SYSTEM: Final = "telemetra"
"""The author of what no person wrote."""

WITHDRAWN: Final = "Withdrawn: complete minutes said otherwise, nothing was unusual."

REASONS_MAX: Final = 10
"""Reasons that stand in a note."""


class NoteType(StrEnum):
    """What a note is."""

    OBSERVATION = "observation"
    COMMAND = "command"
    SYSTEM = "system"


def make_note_id() -> str:
    """Return a new id of a note."""
    return "note_" + secrets.token_hex(8)


def is_withdrawn(moment: Mapping[str, Any]) -> bool:
    """Whether a stored moment turned out to be none."""
    return bool(moment["metadata"].get("withdrawn"))


def describe_moment_note(moment: Mapping[str, Any]) -> str:
    """Return the content of a moment's note: what it is, its stream, and its reasons."""
    head = f"{moment['description']} ({moment['stream_id']}, score {moment['score']:.2f})"
    reasons = [f"- {_describe_reason(reason)}" for reason in moment["reasons"][:REASONS_MAX]]
    text = "\n".join([head, *reasons])
    return f"{WITHDRAWN}\n\n{text}" if is_withdrawn(moment) else text


def revise_moment_note(content: str, moment: Mapping[str, Any], *, is_edited: bool) -> str:
    """Return what a moment's note says now; what people wrote into it stays.

    Args:
        content: What it says.
        moment: As it is stored now.
        is_edited: Whether somebody changed the note.
    """
    if not is_edited:
        return describe_moment_note(moment)
    if is_withdrawn(moment) and WITHDRAWN not in content:
        return f"{content}\n\n{WITHDRAWN}"
    return content


def list_moment_tags(moment: Mapping[str, Any]) -> list[str]:
    """Return the tags of a moment's note."""
    return ["moment", str(moment["moment_type"])]


def _describe_reason(reason: Mapping[str, Any]) -> str:
    if reason.get("kind") == "message":
        return f"{reason.get('name') or 'somebody'}: “{reason['text']}”"
    return str(reason["text"])
