"""Exports of sessions: everything that a session holds, as Markdown or for programs.

    session, summary, notes, moments, transcripts ─► one document

Pure. ``api.notes`` serves it, and makes the page to print from the same parts. Whatever somebody
wrote stays what it is: no text can open a cell, a heading or a tag of the document's own.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeAlias

import orjson

Row: TypeAlias = Mapping[str, Any]

NOTHING: Final = "–"  # noqa: RUF001 (a dash, as people write it)

_ESCAPED: Final = re.compile(r"([\\`*_{}\[\]#|~!])")
_ENTITIES: Final = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_BREAK: Final = re.compile(r"\r\n|[\r\n\u2028\u2029\x0b\x0c\x85]")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u202a-\u202e\u2066-\u2069]")
"""Signs that nobody sees, and those that turn the direction of what stands behind them."""

_LIST: Final = re.compile(r"^(\s*)([-+=]|\d+[.)])", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class SessionExport:
    """What a session holds."""

    session: Row
    summary: Row
    notes: Sequence[Row]
    moments: Sequence[Row]
    transcripts: Sequence[Row]
    """What was said, each with ``timestamp`` and ``transcript``."""

    exported_at: datetime


def write_time(at: datetime | None) -> str:
    """Return a time as ISO 8601 in UTC, with a Z."""
    if at is None:
        return NOTHING
    text = at.astimezone(UTC).isoformat(timespec="milliseconds" if at.microsecond else "seconds")
    return text.replace("+00:00", "Z")


def write_json(export: SessionExport) -> bytes:
    """Return an export for programs."""
    told = {
        "exported_at": export.exported_at,
        "session": export.session,
        "summary": export.summary,
        "notes": export.notes,
        "moments": export.moments,
        "transcripts": export.transcripts,
    }
    return orjson.dumps(told, option=orjson.OPT_UTC_Z | orjson.OPT_INDENT_2)


def write_markdown(export: SessionExport) -> str:
    """Return an export as Markdown."""
    lines = [
        *_write_head(export),
        *_write_channels(export.summary["channels"]),
        *_write_moments(export.moments),
        *_write_notes(export.notes),
        *_write_transcripts(export.transcripts),
        f"Exported at {write_time(export.exported_at)}.",
    ]
    return "\n".join(lines) + "\n"


def write_snapshot(snapshot: Row) -> list[str]:
    """Return a snapshot in words, a channel each, whoever made it."""
    return [f"{name} {_write_value(value)}" for name, value in snapshot.items()]


def escape_cell(text: object) -> str:
    """Return a text as one cell of a table."""
    return _BREAK.sub("<br>", escape_line(text, keep_breaks=True))


def escape_line(text: object, *, keep_breaks: bool = False) -> str:
    """Return a text in which nothing is Markdown, HTML or a turn of direction."""
    plain = _CONTROL.sub("", str(text))
    escaped = _ESCAPED.sub(r"\\\1", plain).translate(_ENTITIES)
    return escaped if keep_breaks else _BREAK.sub(" ", escaped)


def _write_value(value: object) -> str:
    if isinstance(value, Mapping) and "value" in value:
        unit = value.get("unit")
        return f"{value['value']} {unit}" if unit else str(value["value"])
    return str(value)


def _write_head(export: SessionExport) -> Iterator[str]:
    session, summary = export.session, export.summary
    yield f"# {escape_line(session['name'])}"
    yield ""
    if session["description"]:
        yield from _quote(session["description"])
        yield ""
    yield from _write_table(
        ("", ""),
        [
            ("Session", session["id"]),
            ("Status", session["status"]),
            ("Started", write_time(session["started_at"])),
            ("Ended", write_time(session["ended_at"])),
            ("Duration", f"{summary['duration_s']:g} s"),
            ("Streams", ", ".join(session["stream_ids"]) or NOTHING),
            ("Notes", _write_counts(summary["notes"])),
            ("Moments", _write_counts(summary["moments"])),
        ],
    )


def _write_counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items()) or "none"


def _write_channels(channels: Sequence[Row]) -> Iterator[str]:
    if not channels:
        return
    yield from ("## Channels", "")
    rows = [
        (
            channel["channel"],
            channel["unit"] or "",
            channel["count"],
            *(f"{channel[name]:.6g}" for name in ("mean", "min", "max", "last")),
        )
        for channel in channels
    ]
    yield from _write_table(("Channel", "Unit", "Points", "Mean", "Least", "Most", "Last"), rows)


def _write_moments(moments: Sequence[Row]) -> Iterator[str]:
    if not moments:
        return
    yield from ("## Moments", "")
    rows = [
        (
            write_time(moment["started_at"]),
            write_time(moment["ended_at"]),
            moment["stream_id"],
            f"{moment['score']:.2f}",
            "\n".join([moment["description"], *(reason["text"] for reason in moment["reasons"])]),
        )
        for moment in moments
    ]
    heads = ("Began", "Ended", "Stream", "Score", "What, and what else was different")
    yield from _write_table(heads, rows)


def _write_notes(notes: Sequence[Row]) -> Iterator[str]:
    yield from ("## Notes", "")
    if not notes:
        yield from ("There are none.", "")
        return
    rows = [
        (
            write_time(note["timestamp"]),
            note["speaker"] or note["author"],
            str(note["type"]),
            note["content"],
            ", ".join(note["tags"]),
            "\n".join(write_snapshot(note["telemetry_snapshot"])),
        )
        for note in notes
    ]
    yield from _write_table(("Time", "Speaker", "Type", "Note", "Tags", "Telemetry"), rows)


def _write_transcripts(transcripts: Sequence[Row]) -> Iterator[str]:
    if not transcripts:
        return
    yield from ("## Transcripts", "")
    rows = [(write_time(each["timestamp"]), each["transcript"]) for each in transcripts]
    yield from _write_table(("Time", "What was said"), rows)


def _write_table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(map(escape_cell, row))} |"
    yield ""


def _quote(text: str) -> Iterator[str]:
    for line in _BREAK.split(escape_line(text, keep_breaks=True)):
        yield f"> {_LIST.sub(_disarm, line)}".rstrip()


def _disarm(found: re.Match[str]) -> str:
    """Return the beginning of a line as no list and no heading."""
    blank, mark = found[1], found[2]
    return f"{blank}{mark[:-1]}\\{mark[-1]}"
