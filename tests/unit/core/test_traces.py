"""Traces: contexts are read as the standard writes them, and joined without losing one."""

import pytest

from core.traces import LINKS_MAX, Origin, join_contexts, read_context, trace_id_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def context(number: int, trace: str = TRACE) -> str:
    return f"00-{trace}-{number:016x}-01"


@pytest.mark.parametrize("text", [context(1), context(1)[:-2] + "00", f"cc-{context(1)[3:]}"])
def test_a_context_is_read(text: str):
    assert read_context(text) == text


def test_what_later_versions_add_is_left_out():
    assert read_context(f"cc-{context(1)[3:]}-what-comes") == f"cc-{context(1)[3:]}"


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "no",
        context(1)[:-1],
        context(1) + "-more",
        context(1) + "0",
        context(1).upper(),
        "ff" + context(1)[2:],
        context(0),
        context(1, "0" * 32),
        context(1)[:-2] + "0g",
        "cc" + context(1)[2:] + "0",
        " " + context(1),
        context(1) + "\n",
        "x" * 100_000,
    ],
)
def test_what_is_no_context_is_none(text: str | None):
    assert read_context(text) is None


def test_a_context_says_of_which_trace_it_is():
    assert trace_id_of(context(1)) == TRACE


def test_what_came_of_one_request_goes_on_in_its_trace():
    assert join_contexts([None, context(1), context(1)]) == Origin(context(1))
    assert join_contexts([context(1), None, context(2)]) == Origin(context(1), (context(2),))


def test_what_came_of_several_requests_links_to_all_of_them():
    other = context(2, "a" * 32)
    assert join_contexts([context(1), other]) == Origin(None, (context(1), other))


def test_what_came_of_no_traced_request_has_no_origin():
    assert join_contexts([]) is None
    assert join_contexts([None, None]) is None


def test_a_span_names_no_more_than_it_may():
    many = [context(number, f"{number:032x}") for number in range(1, 1000)]
    assert join_contexts(many) == Origin(None, tuple(many[:LINKS_MAX]))
