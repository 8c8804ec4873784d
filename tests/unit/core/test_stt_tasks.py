"""STT tasks: what may become of one, and by what its audio is known."""

from itertools import product

import pytest

from core.errors import ConflictError
from core.stt_tasks import TaskStatus, make_chunk_id, require_transition

PENDING, PROCESSING, DONE, FAILED = TaskStatus
LEGAL = {
    (PENDING, PROCESSING),
    (PENDING, DONE),
    (PENDING, FAILED),
    (PROCESSING, DONE),
    (PROCESSING, FAILED),
}


@pytest.mark.parametrize(("now", "wanted"), [*product(TaskStatus, TaskStatus)])
def test_only_what_is_legal_may_become_of_a_task(now: TaskStatus, wanted: TaskStatus):
    if (now, wanted) in LEGAL:
        require_transition("stt_1", now, wanted)
        return
    with pytest.raises(ConflictError) as raised:
        require_transition("stt_1", now, wanted)
    allowed = [after for before, after in LEGAL if before == now]
    assert all(state in raised.value.detail for state in (now, wanted, *allowed))
    assert ("final" in raised.value.detail) is (not allowed)


def test_the_same_audio_with_other_hints_is_another_chunk():
    ids = {
        make_chunk_id(b"a", None, None),
        make_chunk_id(b"b", None, None),
        make_chunk_id(b"a", "g", None),
        make_chunk_id(b"a", None, "en"),
        make_chunk_id(b"a", "en", None),
    }
    assert len(ids) == 5
    assert make_chunk_id(b"a", "g", "en") == make_chunk_id(b"a", "g", "en")
