"""Grammars: what a recogniser may be given, and what it must not."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import InvalidError
from core.grammars import GRAMMAR_LENGTH_MAX, list_words
from tests.fixtures.sentences import GRAMMAR, SENTENCES

HEAD = "#JSGF V1.0; grammar g; "


def test_the_words_of_a_grammar_are_listed_once():
    words = list_words(GRAMMAR)
    assert len(words) == len(set(words))
    assert set(" ".join(SENTENCES).split()) <= set(words)


@pytest.mark.parametrize(
    "rules",
    [
        "public <a> = one;",
        "public <a> = /0.2/ one | /0.8/ two;",
        "public <a> = (one | two)+ [three] four*;",
        "public <a> = <b> <b>; <b> = one; // two",
        "public <a> = one /* <b> ; */ two;",
        "<b> = one;\npublic <a> = <b>;",
    ],
)
def test_what_jsgf_has_is_taken(rules: str):
    assert "one" in list_words(HEAD + rules)
    assert "one" in list_words("#JSGF V1.0 UTF-8 en; grammar g; " + rules)


@pytest.mark.parametrize(
    ("grammar", "reason"),
    [
        ("", "begins with"),
        ("public <a> = one;", "begins with"),
        (HEAD, "public"),
        (HEAD + "<a> = one;", "public"),
        (HEAD + "import <com.acme.*>; public <a> = one;", "unknown"),
        (HEAD + "import <com.acme>; public <a> = one;", "'import'"),
        (HEAD + "public <a> = one", "middle"),
        (HEAD + "public <a> = ;", "nothing in it"),
        (HEAD + "public <a> = one | ;", "nothing in it"),
        (HEAD + "public <a> = ( one ;", "belongs"),
        (HEAD + "public <a> = ( one ];", "belongs"),
        (HEAD + "public <a> = * one;", "nothing before"),
        (HEAD + "public <a> = <b>;", "does not have"),
        (HEAD + "public <a> = one <a>;", "itself"),
        (HEAD + "public <a> = <b>; <b> = two <a>;", "itself"),
        (HEAD + "public <a> = one; <a> = two;", "twice"),
        (HEAD + "public <a> = one {tag};", "unknown"),
        (HEAD + "public <a> = ../../etc/passwd;", "unknown"),
        (HEAD + "public <a> = \u0431;", "unknown"),
        (HEAD + "public <a> = " + "(" * 30 + "one" + ")" * 30 + ";", "brackets"),
        (HEAD + "public <a> = one;" + " " * GRAMMAR_LENGTH_MAX, "longer"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(grammar: str, reason: str):
    with pytest.raises(InvalidError, match="grammar: ") as raised:
        list_words(grammar)
    assert reason in raised.value.detail


@pytest.mark.parametrize("leaf", ["one", "/1/"])
def test_rules_of_rules_do_not_grow_without_end(leaf: str):
    rules = "".join(f"<r{n}> = <r{n + 1}> <r{n + 1}>;" for n in range(18))
    with pytest.raises(InvalidError, match="places of words"):
        list_words(f"{HEAD}public <a> = <r0>; {rules} <r18> = {leaf};")


@given(st.text(alphabet="<>=;|()[]*+/ab0.'\n #", max_size=200))
def test_no_text_does_anything_but_be_read_or_refused(text: str):
    with contextlib.suppress(InvalidError):
        assert all(word == word.lower() for word in list_words(HEAD + text))
