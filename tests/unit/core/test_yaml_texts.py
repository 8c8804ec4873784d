"""YAML texts: words stay words, and small texts stay small."""

import pytest

from core.errors import InvalidError
from core.yaml_texts import TEXT_BYTES_MAX, read_yaml


def test_words_are_words_and_only_true_and_false_are_truths():
    text = "{on: off, yes: no, a: true, b: False, at: 2026-01-26, n: ~, i: 3, f: 1.5}"
    assert read_yaml(text) == {
        "on": "off",
        "yes": "no",
        "a": True,
        "b": False,
        "at": "2026-01-26",
        "n": None,
        "i": 3,
        "f": 1.5,
    }
    assert read_yaml("") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: [", "line 1"),
        ("a: 1\nb: {", "line 2"),
        ("a: &x 1\nb: *x", "line 2: a reference"),
        ("a: !!python/object:os.system {}", "line 1"),
        ("[" * 5000, "nested too deeply"),
        ("x" * (TEXT_BYTES_MAX + 1), "longer than"),
        ("a: \x00", "not allowed"),
        ("{[a]: 1}", "line 1"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_line(text, reason):
    with pytest.raises(InvalidError, match=reason):
        read_yaml(text)
