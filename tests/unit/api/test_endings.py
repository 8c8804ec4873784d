"""Endings: nothing more is sent once the key has ended, also by one who does not listen."""

import asyncio

import pytest
from starlette.types import Message, Receive, Scope, Send

from api.keys.endings import NOT_GOOD, TRY_LATER, LastingConnection

START = {"type": "http.response.start", "status": 200, "headers": []}
PART = {"type": "http.response.body", "body": b"a", "more_body": True}
LAST = {"type": "http.response.body", "body": b"", "more_body": False}


async def listen_for_ever() -> Message:
    await asyncio.Event().wait()
    return {}


async def record(kind: str, code: int, before: list[Message], after: list[Message]) -> list[object]:
    """Return what reached the client of an application that never receives."""
    gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def run(scope: Scope, receive: Receive, send: Send) -> None:
        del scope, receive
        for message in before:
            await send(message)
        gone.set_result(code)
        for message in after:
            await send(message)

    await LastingConnection({"type": kind}, listen_for_ever, send, gone).serve(run)
    return [message.get("status") or message.get("code") or message["type"] for message in sent]


async def test_an_answer_says_nothing_after_its_key():
    assert await record("http", NOT_GOOD, [START, PART], [PART, PART]) == [
        200,
        PART["type"],
        LAST["type"],
    ]


@pytest.mark.parametrize(("code", "status"), [(NOT_GOOD, 401), (TRY_LATER, 503)])
@pytest.mark.parametrize("after", [[], [START, PART]])
async def test_an_answer_that_had_not_begun_is_a_refusal(
    code: int, status: int, after: list[Message]
):
    assert await record("http", code, [], after) == [status, LAST["type"]]


async def test_an_answer_that_was_whole_ends_once():
    assert await record("http", NOT_GOOD, [START, LAST], []) == [200, LAST["type"]]


async def test_a_socket_says_nothing_after_its_key_and_is_closed_once():
    text = {"type": "websocket.send", "text": "a"}
    accept = {"type": "websocket.accept"}
    close = {"type": "websocket.close", "code": 1000}
    told = [accept["type"], text["type"], NOT_GOOD]
    assert await record("websocket", NOT_GOOD, [accept, text], [text, text, close]) == told
    assert await record("websocket", NOT_GOOD, [], [accept, text]) == [accept["type"], NOT_GOOD]
    assert await record("websocket", NOT_GOOD, [accept, close], []) == [accept["type"], 1000]
