"""Notes of moments: what they say, and what is left of what people wrote."""

from core.notes import WITHDRAWN, describe_moment_note, revise_moment_note

MOMENT = {
    "description": "load unusual",
    "stream_id": "bench",
    "score": 2.125,
    "metadata": {},
    "reasons": [
        {"kind": "metric", "text": "temp rose"},
        {"kind": "message", "text": "look", "name": "vela"},
        {"kind": "message", "text": "there"},
    ],
}
FALSE = {**MOMENT, "metadata": {"withdrawn": True}}


def test_a_note_names_the_moment_its_stream_and_its_reasons():
    assert describe_moment_note(MOMENT).splitlines() == [
        "load unusual (bench, score 2.12)",
        "- temp rose",
        "- vela: “look”",
        "- somebody: “there”",
    ]
    assert describe_moment_note(FALSE).startswith(f"{WITHDRAWN}\n\nload unusual")


def test_what_people_wrote_stays_and_is_told_once_that_it_was_nothing():
    assert revise_moment_note("before", MOMENT, is_edited=False) == describe_moment_note(MOMENT)
    assert revise_moment_note("ours", MOMENT, is_edited=True) == "ours"
    once = revise_moment_note("ours", FALSE, is_edited=True)
    assert once == f"ours\n\n{WITHDRAWN}"
    assert revise_moment_note(once, FALSE, is_edited=True) == once
