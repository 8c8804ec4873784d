"""Messages: lines of IRC in columns, whatever stands in them."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streaming.connectors.twitch.messages import read_messages, read_tag
from tests.fixtures.chat_lines import escape


def read_one(line: str) -> dict[str, str | None]:
    return read_messages([line]).row(0, named=True)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("PING :tmi.twitch.tv", (None, None, "PING", None, "tmi.twitch.tv")),
        ("PING", (None, None, "PING", None, None)),
        (
            "@id=1;emotes= :ada!ada@ada.tmi.twitch.tv PRIVMSG #north :hello  there ",
            ("id=1;emotes=", "ada", "PRIVMSG", "#north", "hello  there "),
        ),
        (
            ":ada!ada@ada.tmi.twitch.tv PRIVMSG #north ::)",
            (None, "ada", "PRIVMSG", "#north", ":)"),
        ),
        (
            ":ada!ada@ada.tmi.twitch.tv PRIVMSG #north :",
            (None, "ada", "PRIVMSG", "#north", ""),
        ),
        (
            ":tmi.twitch.tv 353 justinfan1 = #north :ada bob",
            (None, "tmi.twitch.tv", "353", "justinfan1 = #north", "ada bob"),
        ),
        (
            "@msg-id=raid :tmi.twitch.tv USERNOTICE #north",
            ("msg-id=raid", "tmi.twitch.tv", "USERNOTICE", "#north", None),
        ),
        (
            ":a!a@a PRIVMSG #north :one\u2028two\x0bthree\x85four \u200d\U0001f469",
            (None, "a", "PRIVMSG", "#north", "one\u2028two\x0bthree\x85four \u200d\U0001f469"),
        ),
    ],
)
def test_a_line_is_taken_apart(line: str, message: tuple[str | None, ...]):
    assert tuple(read_one(line).values()) == message


@pytest.mark.parametrize("line", ["", " ", "@", "@id=1", ":only.a.prefix", "12 x", "!? x", "\x00"])
def test_a_line_that_is_none_has_no_command(line: str):
    assert read_one(line)["command"] is None


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
def test_a_tag_is_read_as_it_was_meant(value: str):
    messages = read_messages([f"@a=0;note={escape(value)};z=1 PRIVMSG #north :x"])
    assert messages.select(read_tag("note")).item() == value


@pytest.mark.parametrize(
    ("written", "meant"),
    [(r"a\b", "ab"), ("end\\", "end"), (r"\\s", r"\s"), (r"\\\s", "\\ "), ("", None)],
)
def test_odd_escapes_are_read_as_the_standard_says(written: str, meant: str | None):
    messages = read_messages([f"@note={written} PRIVMSG #north :x"])
    assert messages.select(read_tag("note")).item() == meant


def test_a_tag_is_not_found_within_another():
    messages = read_messages(["@source-id=1;xid=2;id=3 PRIVMSG #north :id=4"])
    assert messages.select(read_tag("id")).item() == "3"
    assert messages.select(read_tag("source-id"), read_tag("color")).row(0) == ("1", None)


@given(st.lists(st.text()))
def test_no_line_takes_another_with_it(lines: list[str]):
    messages = read_messages(["PING :first", *lines, "PING :last"])
    assert messages["command"][0] == messages["command"][-1] == "PING"
    assert messages.height == len(lines) + 2
    assert messages.schema["tags"] == pl.String
