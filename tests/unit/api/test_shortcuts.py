"""Shortcuts: which requests are the same, which are not remembered, and how many at most."""

from typing import Any

import pytest

from api.shortcuts import ASKED_LENGTH_MAX, SHORTCUTS_MAX, Shortcuts

PATH = "/api/v1/streams/a/metrics"


def ask(path: str = PATH, query: bytes = b"", *accepts: bytes) -> dict[str, Any]:
    headers = [(b"host", b"api"), *((b"accept", accept) for accept in accepts)]
    return {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "headers": headers,
        "route": object(),
    }


def note(shortcuts: Shortcuts, scope: dict[str, Any]) -> None:
    shortcuts.note(scope, "key", "stream:a", varies=True)


def test_a_request_is_known_by_path_query_and_accept():
    shortcuts = Shortcuts()
    first = ask(PATH, b"limit=1", b"text/csv")
    note(shortcuts, first)
    found = shortcuts.find(ask(PATH, b"limit=1", b"text/csv"))
    assert found is not None
    assert (found.scope, found.key, found.varies) == ("stream:a", "key", True)
    assert found.route is first["route"]
    others = [
        ask(PATH, b"limit=2", b"text/csv"),
        ask(PATH, b"limit=1"),
        ask(PATH, b"limit=1", b""),
        ask("/api/v1/streams/b/metrics", b"limit=1", b"text/csv"),
    ]
    assert [shortcuts.find(other) for other in others] == [None] * 4
    assert shortcuts.find(first | {"method": "HEAD"}) is None


@pytest.mark.parametrize("path", ["/api/v1/compare", "/api/v1/ingest"])
def test_what_asks_who_it_is_for_is_never_remembered(path: str):
    shortcuts = Shortcuts()
    note(shortcuts, ask(path, b"series=a/chat_count"))
    assert len(shortcuts) == 0


def test_what_is_long_is_not_remembered():
    shortcuts = Shortcuts()
    room = ASKED_LENGTH_MAX - len(PATH)
    for fits in (ask(PATH, b"q" * room), ask(PATH, b"", b"a" * room)):
        note(shortcuts, fits)
    assert len(shortcuts) == 2
    for too_long in (ask(PATH, b"q" * (room + 1)), ask(PATH, b"", b"a" * (room + 1))):
        note(shortcuts, too_long)
    assert len(shortcuts) == 2


def test_beyond_the_most_the_first_one_is_forgotten():
    shortcuts = Shortcuts()
    for number in range(SHORTCUTS_MAX + 1):
        note(shortcuts, ask(PATH, b"%d" % number))
    assert len(shortcuts) == SHORTCUTS_MAX
    assert shortcuts.find(ask(PATH, b"0")) is None
    assert shortcuts.find(ask(PATH, b"1")) is not None
