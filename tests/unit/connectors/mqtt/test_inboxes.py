"""Inboxes: what is to be acknowledged waits for room, what is sent once at most does not."""

import asyncio
import threading

import pytest
from paho.mqtt.client import MQTTMessage

from streaming.connectors.base import SourceAwayError
from streaming.connectors.mqtt import inboxes
from streaming.connectors.mqtt.inboxes import Inbox
from tests.fixtures.waiting import eventually


def make_message(packet: int, quality: int = 1) -> MQTTMessage:
    message = MQTTMessage(packet, b"a/b")
    message.payload, message.qos = b"1", quality
    return message


@pytest.fixture
async def inbox(monkeypatch: pytest.MonkeyPatch) -> Inbox:
    monkeypatch.setattr(inboxes, "MESSAGES_MAX", 2)
    return Inbox(asyncio.get_running_loop())


async def test_messages_come_out_in_their_order(inbox: Inbox):
    inbox.put(make_message(1))
    inbox.put(make_message(2))
    assert [message.mid for message in await inbox.take(1)] == [1]
    assert [message.mid for message in await inbox.take(5)] == [2]


async def test_who_takes_waits_for_the_first(inbox: Inbox):
    taking = asyncio.create_task(inbox.take(5))
    await asyncio.sleep(0)
    threading.Thread(target=inbox.put, args=(make_message(7),)).start()
    assert [message.mid for message in await taking] == [7]


async def test_what_must_be_acknowledged_waits_for_room(inbox: Inbox):
    inbox.put(make_message(1))
    inbox.put(make_message(2))
    waiting = threading.Thread(target=inbox.put, args=(make_message(3),))
    waiting.start()
    assert [message.mid for message in await inbox.take(2)] == [1, 2]
    await eventually(lambda: not waiting.is_alive())
    assert [message.mid for message in await inbox.take(2)] == [3]


async def test_nobody_waits_for_an_inbox_that_is_closed(inbox: Inbox):
    inbox.put(make_message(1))
    inbox.put(make_message(2))
    waiting = threading.Thread(target=inbox.put, args=(make_message(3),))
    waiting.start()
    inbox.close()
    await eventually(lambda: not waiting.is_alive())


async def test_what_is_sent_once_at_most_is_left_out_when_there_is_no_room(inbox: Inbox):
    for packet in range(4):
        inbox.put(make_message(packet, quality=0))
    assert [message.mid for message in await inbox.take(5)] == [0, 1]
    assert inbox.overflowed == 2


async def test_what_came_before_a_failure_is_still_taken(inbox: Inbox):
    inbox.put(make_message(1))
    inbox.fail(SourceAwayError("first"))
    inbox.fail(SourceAwayError("second"))
    assert len(await inbox.take(5)) == 1
    with pytest.raises(SourceAwayError, match="first"):
        await inbox.take(5)
