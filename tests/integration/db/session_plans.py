"""What the statements of sessions may touch."""

from typing import Any, Final

from db.minutes import BEGINNING, END
from tests.fixtures.plans import NOW, back
from tests.integration.db.plan_cases import ONE, PAGE, case

NOTE: Final[tuple[Any, ...]] = (NOW, None, "x", "system", [], {}, "me")

SESSIONS: Final = [
    case("sessions.insert_session", "sess_x", "n", "", NOW, "me"),
    case("sessions.insert_stream", "sess_x", "n", "session"),
    case("sessions.delete_streams", "sess_7"),
    case("sessions.insert_streams", "sess_7", ["a", "b"]),
    case("sessions.update_session", "sess_7", "n", "", "active", None, None, "me", NOW),
    # What is deleted with it is found by its keys, which no plan shows.
    case("sessions.delete_session", "sess_x"),
    case("sessions.lock_session", "sess_7"),
    case("sessions.list_named", ["sess_7", "sess_8", "none"], 3, rows_max=8),
    case("sessions.list_sessions", None, None, None, None, PAGE, None, rows_max=4 * PAGE),
    case("sessions.list_sessions", None, None, back(hours=100), "sess_100", PAGE, None,
         rows_max=4 * PAGE, note="next page"),
    # The only one of three thousand: by the index of words, and not one after the other.
    case("sessions.list_sessions", None, None, None, None, PAGE, "bench2707", rows_max=4,
         note="by words"),
    case("sessions.list_note_counts", "sess_7", 100, rows_max=10),
    # All that a chunk has of the stream: its minutes stand by channel, and then by time.
    case("sessions.list_channel_sums", "none", [ONE], back(days=11), back(days=10), PAGE,
         rows_max=1500, start=BEGINNING, end=END),
    case("sessions.list_moment_counts", [ONE], back(days=11), back(days=10), 100,
         start=back(days=45), end=NOW),
    case("notes.count_note", "sess_7", 1, 1),
    case("notes.insert_note", "note_x", "sess_7", *NOTE),
    case("notes.update_note", "note_7", *NOTE),
    case("notes.mark_note", "note_7", NOW, "me"),
    case("notes.keep_version", "note_8000", "me"),
    case("notes.count_versions", "note_7"),
    case("notes.list_versions", "note_7", PAGE),
    case("notes.lock_note", "note_7", "sess_7"),
    case("notes.get_note", "note_7", "sess_7"),
    case("notes.list_notes", "sess_7", None, None, None, None, BEGINNING, END, None, None, PAGE),
    case("notes.list_notes", "sess_7", None, None, None, "word7", BEGINNING, END, None, None, PAGE,
         note="by words"),
    case("notes.list_notes", "sess_7", None, None, None, None, BEGINNING, END, back(days=1), 7,
         PAGE, note="next page"),
    case("notes.list_moments", "sess_7", PAGE, start=BEGINNING, end=END),
    case("moment_notes.list_unwritten", back(hours=10), NOW, back(minutes=10), PAGE, PAGE,
         rows_max=1000, start=back(days=45), end=NOW),
    case("moment_notes.insert_notes", "[]"),
    case("moment_notes.count_notes", ["sess_7"], [1]),
    case("moment_notes.keep_versions", ["note_7"], "me"),
    case("moment_notes.revise_notes", "[]"),
    case("session_telemetry.list_points", [ONE, ONE], ["load", "temp"], [back(days=9)] * 2,
         [back(days=2)] * 2, back(days=9), back(days=2), END, PAGE, 7, rows_max=4 * PAGE,
         start=back(days=9), end=back(days=2)),
    case("session_telemetry.list_channels", [ONE, "none"], [back(days=9)] * 2, [back(days=7)] * 2,
         back(days=9), back(days=7), PAGE, rows_max=40, start=back(days=9), end=back(days=6)),
    case("session_telemetry.list_newest", [ONE, ONE], ["load", "temp"], back(days=9), back(days=8),
         PAGE, rows_max=8, start=back(days=9), end=back(days=7)),
    case("session_telemetry.find_applied", 3, rows_max=16),
]  # fmt: skip
