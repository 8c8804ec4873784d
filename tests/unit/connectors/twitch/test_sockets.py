"""Sockets and circuits, before a server that speaks the service's protocol."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest

from core.clock import SystemClock
from core.tasks import end
from streaming.connectors.health import Health
from streaming.connectors.outlets import OutletPolicy
from streaming.connectors.pauses import BackOffPolicy
from streaming.connectors.twitch.chats import ChatPolicy, ChatSource
from streaming.connectors.twitch.joins import JoinPolicy
from streaming.connectors.twitch.sockets import SocketPolicy
from tests.fixtures.chat_lines import say
from tests.fixtures.chat_servers import ChatServer
from tests.fixtures.outlets import sending
from tests.fixtures.waiting import eventually
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi

SOON = BackOffPolicy(first_s=0.01, max_s=0.01)
AT_ONCE = JoinPolicy(per_s=0.0)


class Listener:
    """A source that reads a server, and what came of it."""

    def __init__(self, api: ScriptedApi, health: Health) -> None:
        self._api = api
        self.health = health

    def list_texts(self) -> list[str]:
        """Return what was said, repeats included."""
        return [event["text"] for event in self._list_events()]

    async def wait_for(self, *texts: str) -> None:
        """Wait until texts have arrived."""
        await eventually(self.list_texts, holds=lambda heard: set(texts) <= set(heard))

    def _list_events(self) -> list[dict[str, Any]]:
        return [orjson.loads(line) for body in self._api.bodies for line in body.splitlines()]


def make_policy(server: ChatServer, join: JoinPolicy = AT_ONCE, **socket: float) -> ChatPolicy:
    told = {"answer_s": 5.0} | socket
    return ChatPolicy(SocketPolicy(server.url, **told), join, SOON, channels_a_socket_max=3)


@asynccontextmanager
async def listening(policy: ChatPolicy, *channels: str) -> AsyncIterator[Listener]:
    with ScriptedApi() as api:
        async with sending(api.url) as gate:
            source = ChatSource(channels, "", SystemClock(), policy)
            task = asyncio.create_task(source.read(gate.outlet, gate.health))
            try:
                yield Listener(api, gate.health)
            finally:
                await end(task)


async def test_it_reads_without_an_account_and_asks_for_tags(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        (guest,) = chat_server.list_hearing("north")
        assert guest.heard[0] == "CAP REQ :twitch.tv/tags twitch.tv/commands twitch.tv/membership"
        assert guest.nick.startswith("justinfan")
        assert guest.nick.removeprefix("justinfan").isdecimal()
        await chat_server.say("north", [say("north", "ada", "one"), say("north", "bob", "two")])
        await listener.wait_for("one", "two")


async def test_a_ping_is_answered_with_its_own_words(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        await chat_server.send("PING :tmi.twitch.tv\r\nPING :again\r\nPING\r\n")
        (guest,) = chat_server.guests
        await eventually(lambda: guest.heard[-3:] == ["PONG :tmi.twitch.tv", "PONG :again", "PONG"])


async def test_a_line_may_be_cut_between_frames(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        line = say("north", "ada", "whole again \u2028 \U0001f602").encode()
        await chat_server.send(say("north", "bob", "before").encode() + b"\r\n" + line[:25])
        await listener.wait_for("before")
        # The last letter has four bytes; two of them come later.
        await chat_server.send(line[25:-2])
        await chat_server.send(line[-2:] + b"\r")
        await chat_server.send("\n")
        await listener.wait_for("whole again \u2028 \U0001f602")


async def test_garbage_does_no_harm(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        await chat_server.send("\r\n\r\n@@@;;;=== \x00\r\n:\r\n@ : :\r\n")
        await chat_server.send(b"\xff\xfe not text\r\n")
        await chat_server.send("x" * 70_000)
        await chat_server.say("north", ["", say("north", "ada", "still here")])
        await listener.wait_for("still here")
        assert chat_server.connections == 1


async def test_a_text_cannot_give_orders(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        await chat_server.say("north", [say("north", "eve", ":tmi.twitch.tv RECONNECT")])
        await chat_server.say("north", [say("north", "eve", "PING :me", note="PING x")])
        await listener.wait_for(":tmi.twitch.tv RECONNECT", "PING :me")
        assert chat_server.connections == 1
        assert not any(line.startswith("PONG") for line in chat_server.guests[0].heard)


async def test_many_channels_share_few_sockets(chat_server: ChatServer):
    channels = [f"c{number}" for number in range(7)]
    async with listening(make_policy(chat_server), *channels) as listener:
        await eventually(lambda: listener.health.is_connected)
        assert sorted(len(guest.channels) for guest in chat_server.guests) == [1, 3, 3]
        for channel in channels:
            await chat_server.say(channel, [say(channel, "ada", f"in {channel}")])
        await listener.wait_for(*(f"in {channel}" for channel in channels))


async def test_joins_keep_the_pace_of_the_service(chat_server: ChatServer):
    channels = [f"c{number}" for number in range(7)]
    join = JoinPolicy(joins_max=3, per_s=0.3, per_line_max=2)
    async with listening(make_policy(chat_server, join), *channels) as listener:
        await eventually(lambda: listener.health.is_connected)
    assert sorted(channel for _, channel in chat_server.joins) == channels
    times = [at for at, _ in chat_server.joins]
    # Three are in at once; each later one came when another had been in for long enough.
    waits = [later - earlier for earlier, later in zip(times, times[3:], strict=False)]
    assert min(waits) > 0.2


async def test_a_connection_that_is_cut_is_made_anew(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        for text in ("first", "second"):
            await eventually(lambda: listener.health.is_connected)
            await eventually(lambda: chat_server.list_hearing("north"))
            await chat_server.say("north", [say("north", "ada", text)])
            await listener.wait_for(text)
            chat_server.drop()
            await eventually(lambda: not chat_server.guests or listener.health.failures)
        await eventually(lambda: chat_server.connections == 3)
        assert listener.health.failures == 2


async def test_one_cut_leaves_the_other_sockets_alone(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "a", "b", "c", "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        (kept,) = chat_server.list_hearing("a")
        chat_server.drop(chat_server.list_hearing("north"))
        await eventually(lambda: listener.health.failures == 1)
        await eventually(lambda: listener.health.is_connected)
        assert chat_server.list_hearing("a") == [kept]
        assert len(chat_server.list_hearing("north")) == 1


async def test_asked_to_reconnect_it_hears_the_new_socket_before_it_leaves_the_old(
    chat_server: ChatServer,
):
    async with listening(make_policy(chat_server), "a", "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        (old,) = chat_server.guests
        # The new socket cannot hear everything yet, and so the old one is needed.
        chat_server.is_mute = True
        await chat_server.send(":tmi.twitch.tv RECONNECT\r\n")
        await eventually(lambda: len(chat_server.guests) == 2)
        await chat_server.say("north", [say("north", "ada", "to the old one")])
        await listener.wait_for("to the old one")
        assert old in chat_server.guests
        (new,) = (guest for guest in chat_server.guests if guest is not old)
        for channel in ("a", "north"):
            await chat_server._let_in(new, channel)
        await eventually(lambda: chat_server.guests == [new])
        await chat_server.say("north", [say("north", "ada", "to the new one")])
        await listener.wait_for("to the new one")
        assert listener.health.failures == 0
        assert listener.list_texts().count("to the old one") == 1


async def test_a_replacement_that_fails_leaves_the_old_socket_at_work(chat_server: ChatServer):
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        chat_server.refuses_login = True
        await chat_server.send(":tmi.twitch.tv RECONNECT\r\n")
        await eventually(lambda: chat_server.connections == 2)
        await eventually(lambda: len(chat_server.guests) == 1)
        await chat_server.say("north", [say("north", "ada", "still heard")])
        await listener.wait_for("still heard")


async def test_a_dead_peer_is_found_by_its_silence(chat_server: ChatServer):
    policy = make_policy(chat_server, silence_s=0.1, answer_s=0.2)
    async with listening(policy, "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        chat_server.is_mute = True
        await eventually(lambda: listener.health.failures)
        chat_server.is_mute = False
        await eventually(lambda: listener.health.is_connected)
        assert chat_server.connections >= 2


async def test_a_quiet_peer_that_answers_is_kept(chat_server: ChatServer):
    async with listening(make_policy(chat_server, silence_s=0.05), "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        (guest,) = chat_server.guests
        await eventually(lambda: guest.heard.count("PING :telemetra") >= 3)
        assert listener.health.failures == 0


async def test_a_refused_login_is_a_failure_and_tried_again(chat_server: ChatServer):
    chat_server.refuses_login = True
    async with listening(make_policy(chat_server), "north") as listener:
        await eventually(lambda: listener.health.failures >= 2)
        assert not listener.health.is_connected
        chat_server.refuses_login = False
        await eventually(lambda: listener.health.is_connected)


@pytest.mark.parametrize("trouble", ["suspended", "unknown"])
async def test_a_channel_that_is_not_to_be_heard_holds_up_no_other(
    chat_server: ChatServer, trouble: str
):
    getattr(chat_server, trouble).add("gone")
    policy = make_policy(chat_server, answer_s=0.3, again_s=0.05)
    async with listening(policy, "gone", "north") as listener:
        await eventually(lambda: listener.health.is_connected)
        await chat_server.say("north", [say("north", "ada", "here")])
        await listener.wait_for("here")
        asked = [channel for _, channel in chat_server.joins].count("gone")
        if trouble == "suspended":
            assert asked == 1
            return
        chat_server.unknown.clear()
        await eventually(lambda: chat_server.list_hearing("gone"))


async def test_a_server_that_is_not_there_is_asked_again(dead_port: int):
    socket = SocketPolicy(f"ws://127.0.0.1:{dead_port}", answer_s=1.0)
    async with listening(ChatPolicy(socket, AT_ONCE, SOON), "north") as listener:
        await eventually(lambda: listener.health.failures >= 3)


async def test_while_the_api_is_away_it_stops_reading_and_loses_nothing(chat_server: ChatServer):
    texts = [f"text {number}" for number in range(600)]
    policy = replace(make_policy(chat_server), lines_max=50)
    with ScriptedApi([Reply(503, {"Retry-After": "0"})] * 3) as api:
        async with sending(api.url, OutletPolicy(events_max=10)) as gate:
            source = ChatSource(["north"], "", SystemClock(), policy)
            task = asyncio.create_task(source.read(gate.outlet, gate.health))
            await eventually(lambda: gate.health.is_connected)
            for first in range(0, 600, 20):
                lines = [say("north", "ada", text) for text in texts[first : first + 20]]
                await chat_server.say("north", lines)
            listener = Listener(api, gate.health)
            await eventually(lambda: gate.health.accepted == 600)
            await end(task)
        # Three bodies came twice, for the API had no answer to them.
        assert list(dict.fromkeys(listener.list_texts())) == texts
