"""Touches: marks rise and never come back, and trust ends by itself."""

import pytest

from api.cache import touches as module
from api.cache.touches import TRUSTED_S_MAX, Touches


def test_a_touch_changes_the_mark_of_its_scope_only():
    touches = Touches()
    before = touches.mark("a"), touches.mark("b")
    touches.touch("a")
    assert touches.mark("a") > before[0]
    assert touches.mark("b") == before[1]
    once = touches.mark("a")
    touches.touch("a")
    assert touches.mark("a") > once


def test_a_new_subscription_changes_every_mark():
    touches = Touches()
    touches.touch("a")
    before = touches.mark("a"), touches.mark("b")
    touches.begin()
    assert touches.mark("a") > before[0]
    assert touches.mark("b") > before[1]


def test_scopes_that_are_forgotten_look_touched_rather_than_untouched(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(module, "SCOPES_KNOWN_MAX", 2)
    touches = Touches()
    for scope in "abac":
        touches.touch(scope)
    known = {scope: touches.mark(scope) for scope in "abcx"}
    touches.touch("d")
    # A was touched before C and so went first; whoever was not known takes its mark.
    assert touches.mark("a") == known["a"]
    assert touches.mark("c") == known["c"]
    assert touches.mark("x") > known["x"]
    assert touches.mark("b") > known["b"]


def test_silence_ends_trust_and_so_does_a_new_subscription():
    now = 100.0
    touches = Touches(monotonic=lambda: now)

    def is_trusted() -> bool:
        return touches.is_trusted

    assert not is_trusted()
    touches.begin()
    assert not is_trusted()
    touches.hear(now)
    touches.hear(now - 1)
    assert touches.heard_at == now
    now += TRUSTED_S_MAX - 0.001
    assert is_trusted()
    now += 0.002
    assert not is_trusted()
    touches.hear(now)
    assert is_trusted()
    touches.begin()
    assert not is_trusted()
