"""Plans of jobs and of speech to text: what their statements touch."""

from datetime import timedelta
from typing import Final

from tests.fixtures.plans import back
from tests.integration.db.plan_cases import PAGE, case

SESSION: Final = "sess_7"

SPEECH: Final = (
    case("jobs.lock_queue", 1, "speech"),
    case("jobs.count_waiting", "speech", 100, rows_max=250),
    case("jobs.defer_job", "speech", "transcribe", "stt-x", {}),
    case("jobs.cancel_job", 7),
    case("jobs.retry_stalled", timedelta(seconds=30), PAGE, rows_max=4 * PAGE),
    case("jobs.delete_ended", back(days=1), PAGE, rows_max=6 * PAGE),
    case("jobs.measure_queues", PAGE, rows_max=4 * PAGE),
    case("jobs.measure_work", PAGE, PAGE, rows_max=6 * PAGE),
    case("jobs.list_workers", 1),
    case("stt_tasks.lock_session", 1, SESSION),
    case("stt_tasks.measure_tasks", SESSION, rows_max=250),
    case("stt_tasks.find_audio", SESSION, "chunk-7", rows_max=1),
    case("stt_tasks.insert_task", "new", SESSION, "c", None, None, None, None, None, None, None,
         False, None, "me"),
    case("stt_tasks.get_task", SESSION, "stt-7", rows_max=1),
    case("stt_tasks.lock_task", SESSION, "stt-7"),
    case("stt_tasks.list_tasks", SESSION, None, None, None, PAGE),
    case("stt_tasks.list_tasks", SESSION, "done", back(days=1), "stt-7", PAGE, rows_max=250,
         note="next page of those that are done"),
    case("stt_tasks.list_transcripts", SESSION, PAGE, rows_max=250),
    case("stt_tasks.delete_task", SESSION, "stt-7"),
    case("stt_tasks.claim_task", "stt-7"),
    case("stt_tasks.note_progress", "stt-7", 1, 0.5),
    case("stt_tasks.end_task", "stt-7", None, "done", "said", [], None, None),
    case("stt_tasks.list_existing", ["stt-7", "x"], 2),
    case("stt_tasks.list_expired", back(days=400), PAGE),
    case("stt_tasks.forget_audio", ["stt-7"]),
)  # fmt: skip
