"""Events: what a chat's messages become."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.events import EVENT_TYPES
from streaming.connectors.twitch.events import read_events
from tests.fixtures.chat_lines import notify, say

AT_MS = 1_769_421_600_000


def read(*lines: str, prefix: str = "") -> tuple[list[dict[str, Any]], dict[str, int]]:
    """Return the events without what they lack, and what was ignored."""
    heard = read_events(list(lines), prefix=prefix, now_ms=AT_MS)
    events = [orjson.loads(line) for line in heard.lines]
    bare = [{k: v for k, v in event.items() if v is not None} for event in events]
    return bare, heard.ignored


def test_a_message_becomes_chat():
    line = say(
        "North",
        "ada",
        "hello there",
        badges="subscriber/12,premium/1",
        display_name="Ada Lovelace",
        emotes="",
        id="7b0f",
        room_id=1,
        tmi_sent_ts=AT_MS + 5,
    )
    assert read(line, prefix="tw-") == (
        [
            {
                "stream_id": "tw-north",
                "type": "chat",
                "timestamp": AT_MS + 5,
                "id": "7b0f",
                "user": "ada",
                "text": "hello there",
                "badges": ["subscriber/12", "premium/1"],
            }
        ],
        {},
    )


@pytest.mark.parametrize(
    ("text", "tag", "emotes"),
    [
        ("Kappa", "25:0-4", ["Kappa"]),
        ("Kappa hm Kappa", "25:0-4,9-13", ["Kappa", "Kappa"]),
        ("LUL Kappa", "25:4-8/425618:0-2", ["LUL", "Kappa"]),
        ("\U0001f602\U0001f469\u200d\U0001f680 Kappa é", "25:5-9", ["Kappa"]),
        ("e\u0301 Kappa", "25:3-7", ["Kappa"]),
        ("🇳🇴 HeyGuys", "30259:3-9", ["HeyGuys"]),
        ("modCheck", "emotesv2_dc24652ada1e4c84a5e3ceebae4de709:0-7", ["modCheck"]),
        ("\x01ACTION Kappa waves\x01", "25:0-4", ["Kappa"]),
        ("short", "25:0-40", None),
        ("short", "25:4-2", None),
        ("short", "25:99999999999999999999-3", None),
        ("short", "25:0-4,7-9", ["short"]),
        ("short", "25", None),
        ("short", "", None),
        ("short", ":-,/x-y", None),
    ],
)
def test_emotes_are_named_as_they_stand_in_the_text(text: str, tag: str, emotes: list[str] | None):
    events, _ = read(say("north", "ada", text, emotes=tag))
    assert events[0].get("emotes") == emotes


def test_what_somebody_does_is_said_without_its_wrapping():
    events, _ = read(
        say("north", "ada", "\x01ACTION waves\x01"), say("north", "ada", "\x01ACTION waves")
    )
    assert [event["text"] for event in events] == ["waves", "waves"]


def test_bits_are_chat_and_a_transaction_beside_it():
    events, _ = read(say("north", "ada", "cheer100", bits=100, id="9", tmi_sent_ts=AT_MS))
    assert [event["type"] for event in events] == ["chat", "transaction"]
    assert events[0]["bits"] == 100
    assert events[1] == {
        "stream_id": "north",
        "type": "transaction",
        "timestamp": AT_MS,
        "id": "9:bits",
        "user": "ada",
        "kind": "bits",
        "amount": 100.0,
        "currency": "bits",
    }


@pytest.mark.parametrize("bits", ["0", "-5", "many", ""])
def test_bits_that_are_none_are_only_chat(bits: str):
    events, _ = read(say("north", "ada", "hi", bits=bits))
    assert [event["type"] for event in events] == ["chat"]


@pytest.mark.parametrize(
    ("notice", "kind"),
    [
        ("sub", "subscription"),
        ("resub", "renewal"),
        ("giftpaidupgrade", "renewal"),
        ("anongiftpaidupgrade", "renewal"),
        ("primepaidupgrade", "renewal"),
        ("subgift", "gift_sub"),
        ("anonsubgift", "gift_sub"),
    ],
)
def test_a_subscription_becomes_a_transaction(notice: str, kind: str):
    line = notify("north", notice, id="9", login="ada", tmi_sent_ts=AT_MS, system_msg="Ada did it!")
    assert read(line)[0] == [
        {
            "stream_id": "north",
            "type": "transaction",
            "timestamp": AT_MS,
            "id": f"9:{kind}",
            "user": "ada",
            "kind": kind,
        }
    ]


def test_what_is_written_with_a_notice_is_chat_too():
    events, _ = read(
        notify("north", "resub", "two years! Kappa", id="9", login="ada", emotes="25:11-15"),
        notify("north", "announcement", "be kind", id="10", login="bob"),
    )
    assert [(event["type"], event["id"], event["user"]) for event in events] == [
        ("chat", "9", "ada"),
        ("transaction", "9:renewal", "ada"),
        ("chat", "10", "bob"),
    ]
    assert events[0]["emotes"] == ["Kappa"]


def test_a_raid_becomes_a_fact_about_the_stream():
    line = notify("north", "raid", id="9", login="bob", tmi_sent_ts=AT_MS, msg_param_viewerCount=55)
    assert read(line)[0] == [
        {
            "stream_id": "north",
            "type": "meta",
            "timestamp": AT_MS,
            "id": "9:raid",
            "user": "bob",
            "event": "raid",
            "viewers": 55,
        }
    ]


def test_many_gifts_count_one_by_one_and_not_once_more_together():
    events, ignored = read(
        notify("north", "submysterygift", id="1", login="ada", msg_param_mass_gift_count=2),
        notify("north", "subgift", id="2", login="ada", msg_param_recipient_user_name="bob"),
        notify("north", "subgift", id="3", login="ada", msg_param_recipient_user_name="eve"),
    )
    assert [event["id"] for event in events] == ["2:gift_sub", "3:gift_sub"]
    assert ignored == {"usernotice": 1}


def test_a_copy_from_a_shared_chat_counts_where_it_was_written():
    events, ignored = read(
        say("north", "ada", "ours", id="1", room_id=1, source_room_id=1, source_id=1),
        say("north", "bob", "theirs", id="2", room_id=1, source_room_id=2, source_id=9, bits=5),
        notify("north", "sharedchatnotice", "hi", room_id=1, source_room_id=2, source_msg_id="sub"),
    )
    assert [event["text"] for event in events] == ["ours"]
    assert ignored == {"shared_copy": 2}


def test_what_makes_no_event_is_counted_by_kind():
    events, ignored = read(
        "PING :tmi.twitch.tv",
        "@room-id=1;slow=10 :tmi.twitch.tv ROOMSTATE #north",
        "@login=ada;target-msg-id=9 :tmi.twitch.tv CLEARMSG #north :bad words",
        "@ban-duration=350 :tmi.twitch.tv CLEARCHAT #north :ada",
        ":tmi.twitch.tv CLEARCHAT #north",
        ":ada!ada@ada.tmi.twitch.tv JOIN #north",
        ":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!",
        ":tmi.twitch.tv INVENTED #north",
        "\ufffd\ufffd?? no line at all",
        "",
    )
    assert events == []
    assert ignored == {
        "ping": 1,
        "roomstate": 1,
        "clearmsg": 1,
        "clearchat": 2,
        "join": 1,
        "other": 2,
        "garbage": 2,
    }


@pytest.mark.parametrize("time", ["", "soon", "1e5", "99999999999999999999999"])
def test_a_message_without_a_time_gets_that_of_its_arrival(time: str):
    events, _ = read(say("north", "ada", "hi", tmi_sent_ts=time))
    assert events[0]["timestamp"] == AT_MS


def test_the_newest_time_is_told():
    lines = [say("north", "ada", "hi", tmi_sent_ts=at) for at in (AT_MS, AT_MS + 9, AT_MS + 3)]
    assert read_events(lines, prefix="", now_ms=0).newest_ms == AT_MS + 9
    assert read_events(["PING"], prefix="", now_ms=5).newest_ms == 0


@given(st.lists(st.text() | st.text().map(lambda text: f"@{text} :a!b@c PRIVMSG #x :{text}")))
def test_no_line_breaks_the_reading(lines: list[str]):
    good = say("north", "ada", "hi", id="good")
    events, _ = read(*lines, good)
    assert "good" in [event.get("id") for event in events]
    assert {event["type"] for event in events} <= set(EVENT_TYPES)
