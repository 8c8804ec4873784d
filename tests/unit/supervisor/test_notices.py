"""Which lines of a child's output people see."""

import pytest

from infra.supervisor.notices import NOTICE_WINDOW, NOTICES_MAX, NoticeGate, find_notice


@pytest.mark.parametrize(
    ("line", "notice"),
    [
        (b'{"level":"info","event":"moment_opened"}', None),
        (b'{"level":"warning","event":"bus_slow","shard":3}', "warning: bus_slow shard=3"),
        (b'{"level":"error","event":"x","exception":"Trace","process":"api"}', "error: x"),
        (b"2026 LOG:  checkpoint starting", None),
        (b"2026 FATAL:  out of memory", "2026 FATAL:  out of memory"),
        (b'{"level":"warning"', None),
        (b"{}", None),
        (b"\xff\xfe", None),
    ],
)
def test_only_warnings_and_worse_are_worth_showing(line, notice):
    assert find_notice(line) == notice


def test_a_flood_of_warnings_is_cut_and_says_so():
    shown: list[str] = []
    now_s = 0.0
    gate = NoticeGate("api", shown.append, lambda: now_s)
    for _ in range(100):
        gate.take_line(b'{"level":"warning","event":"bus_slow"}')
    assert len(shown) == NOTICES_MAX + 1
    assert shown[-1] == "api: more of these are in its log"
    now_s += NOTICE_WINDOW.total_seconds() + 1
    gate.take_line(b'{"level":"warning","event":"bus_gone"}')
    assert shown[-1] == "api: warning: bus_gone"
