"""The short way of a live message: at once to a socket that takes it, and never past another."""

import asyncio

import orjson
import pytest
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.uri import parse_uri

from api.live.connections import Connection, Told
from api.live.protocols import frame_text
from core.clock import ManualClock
from core.live import LiveMessage


class Socket:
    """Notes what is written, as long as it takes anything."""

    def __init__(self) -> None:
        self.written: list[int] = []
        self.is_open = True

    def write(self, text: bytes) -> bool:
        if self.is_open:
            self.written.append(orjson.loads(text)["seq"])
        return self.is_open


@pytest.fixture
def socket() -> Socket:
    return Socket()


@pytest.fixture
def connection(clock: ManualClock, socket: Socket) -> Connection:
    connection = Connection(clock, limit=5)
    connection.write_with(socket.write)
    return connection


def offer(connection: Connection) -> None:
    connection.offer(LiveMessage("a", "minute", "a", b'{"type":"minute"}'))


async def begin_to_take(connection: Connection) -> "asyncio.Task[list[Told]]":
    task = asyncio.create_task(connection.take())
    await asyncio.sleep(0)
    return task


async def read_sequences(task: "asyncio.Task[list[Told]]") -> list[int]:
    async with asyncio.timeout(5):
        return [orjson.loads(told.body)["seq"] for told in await task]


async def test_what_is_offered_to_a_socket_that_waits_is_written_at_once(
    connection: Connection, socket: Socket
):
    task = await begin_to_take(connection)
    for _ in range(3):
        offer(connection)
    assert (socket.written, task.done()) == ([0, 1, 2], False)
    connection.say("pong")
    assert await read_sequences(task) == [3]


async def test_nothing_overtakes_what_is_not_yet_sent(connection: Connection, socket: Socket):
    offer(connection)
    taken = await begin_to_take(connection)
    assert await read_sequences(taken) == [0]
    # What was taken is on its way, and the sender is not back.
    offer(connection)
    assert socket.written == []
    assert await read_sequences(await begin_to_take(connection)) == [1]


async def test_nothing_overtakes_what_waits(connection: Connection, socket: Socket):
    task = await begin_to_take(connection)
    connection.say("pong")
    offer(connection)
    assert socket.written == []
    assert await read_sequences(task) == [0, 1]


async def test_a_socket_that_takes_nothing_lets_messages_wait(
    connection: Connection, socket: Socket
):
    task = await begin_to_take(connection)
    socket.is_open = False
    offer(connection)
    socket.is_open = True
    offer(connection)
    assert socket.written == []
    assert await read_sequences(task) == [0, 1]


async def test_what_is_held_waits_for_what_comes_before_it(connection: Connection, socket: Socket):
    task = await begin_to_take(connection)
    connection.hold()
    offer(connection)
    assert socket.written == []
    connection.release([])
    assert await read_sequences(task) == [0]


@pytest.mark.parametrize("size", [0, 125, 126, 65_535, 65_536])
def test_a_frame_is_what_a_client_reads(size: int):
    client = ClientProtocol(parse_uri("ws://a"))
    client.state = client.state.OPEN
    client.reader.feed_data(b"")
    parser = client.parse()
    next(parser)
    text = b"x" * size
    client.reader.feed_data(frame_text(text))
    next(parser)
    (frame,) = client.events_received()
    assert isinstance(frame, Frame)
    assert (frame.data, frame.fin, frame.rsv1) == (text, True, False)
