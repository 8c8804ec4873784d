"""Sockets: one connection to the chat, from the handshake to its end.

    CAP, NICK -> 001 -> JOIN … -> lines, PING and PONG … -> RECONNECT, silence or a hang-up

What is said in the channels is handed on as it is; only what concerns the connection itself is
looked at here. Nobody is logged in: a name beginning with ``justinfan`` may read everywhere.
"""

import asyncio
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from core.tasks import run_together
from streaming.connectors.base import SourceAwayError
from streaming.connectors.twitch.joins import JoinGate
from streaming.connectors.twitch.lines import LineQueue

URL: Final = "wss://irc-ws.chat.twitch.tv"

CAPABILITIES: Final = "twitch.tv/tags twitch.tv/commands twitch.tv/membership"

FRAME_BYTES_MAX: Final = 1_048_576
"""A larger frame ends the connection; the service's own are below 100 kB."""

HALF_BYTES_MAX: Final = 65_536
"""So much of a line is kept that has no end yet; a whole one has 9 000 at most."""

_CONTROL: Final = re.compile(
    r"^(?:@(?P<tags>[^ \n]*) +)?(?::[^ \n]* +)?"
    r"(?P<command>PING|RECONNECT|NOTICE|CAP|ROOMSTATE|001|366)(?: (?P<rest>[^\n]*))?$",
    re.MULTILINE,
)
_CHANNEL: Final = re.compile(r"#([^ ,]+)")
_NOTICE_ID: Final = re.compile(r"(?:^|;)msg-id=([^;]*)")

_REFUSALS: Final = frozenset({"msg_channel_suspended", "msg_banned", "tos_ban"})
"""Notices after which a channel will not be heard, however often it is asked for."""

_LOGIN_REFUSED: Final = ("Login authentication failed", "Improperly formatted auth")

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SocketPolicy:
    """Decides how long a connection is waited for."""

    url: str = URL
    answer_s: float = 10.0
    """For the connection, the greeting, a joined channel, and the answer to our PING."""

    silence_s: float = 120.0
    """After so long without a word we ask. The service itself asks about every five minutes."""

    again_s: float = 300.0
    """Between two tries to join channels that did not answer, for they may appear."""


class ChatSocket:
    """One connection and its channels."""

    def __init__(
        self, channels: Iterable[str], lines: LineQueue, gate: JoinGate, policy: SocketPolicy
    ) -> None:
        self._channels = frozenset(channels)
        self._lines = lines
        self._gate = gate
        self._policy = policy
        self._half = b""
        self._unanswered = set(self._channels)
        self._greeted = asyncio.Event()
        self._answered = asyncio.Event()
        self.ready = asyncio.Event()
        """Set when every channel is heard, or known not to be."""

        self.retiring = asyncio.Event()
        """Set when the service asks us to connect anew."""

    async def run(self) -> None:
        """Connect and hand on lines until the connection ends.

        Raises:
            SourceAwayError: It ended.
        """
        try:
            async with connect(
                self._policy.url,
                open_timeout=self._policy.answer_s,
                close_timeout=1,
                # The service's own PING and ours do the same, and tell more.
                ping_interval=None,
                max_size=FRAME_BYTES_MAX,
            ) as connection:
                await connection.send(f"CAP REQ :{CAPABILITIES}")
                await connection.send(f"NICK justinfan{10_000 + secrets.randbelow(90_000)}")
                await run_together(self._read(connection), self._join(connection))
        except (OSError, TimeoutError, WebSocketException) as error:
            raise SourceAwayError(f"{type(error).__name__}: {error}") from error

    async def _read(self, connection: ClientConnection) -> None:
        while True:
            whole = self._cut_whole_lines(await self._receive(connection))
            for control in _CONTROL.finditer(whole):
                await self._obey(connection, control)
            if whole:
                await self._lines.put(whole.split("\n"))

    async def _receive(self, connection: ClientConnection) -> bytes:
        """Return the next frame; who is silent for long is asked, once."""
        try:
            async with asyncio.timeout(self._policy.silence_s):
                return await connection.recv(decode=False)
        except TimeoutError:
            await connection.send("PING :telemetra")
        try:
            async with asyncio.timeout(self._policy.answer_s):
                return await connection.recv(decode=False)
        except TimeoutError:
            raise SourceAwayError("it is silent, and does not answer PING") from None

    def _cut_whole_lines(self, frame: bytes) -> str:
        """Return the lines that have an end, and keep the beginning of one that has none.

        What is no text spoils its own letters, and not the connection.
        """
        whole, _, self._half = (self._half + frame).rpartition(b"\n")
        if len(self._half) > HALF_BYTES_MAX:
            log.warning("line_dropped", bytes=len(self._half))
            self._half = b""
        return whole.replace(b"\r", b"").decode(errors="replace")

    async def _obey(self, connection: ClientConnection, control: re.Match[str]) -> None:
        rest = control["rest"] or ""
        match control["command"]:
            case "PING":
                await connection.send(f"PONG {rest}".rstrip())
            case "001":
                self._greeted.set()
            case "RECONNECT":
                self.retiring.set()
            case "CAP" if " NAK " in f" {rest} ":
                raise SourceAwayError(f"it refuses a capability: {rest}")
            case "NOTICE":
                self._read_notice(control["tags"] or "", rest)
            case "366" | "ROOMSTATE":
                self._note_answers(rest)

    def _read_notice(self, tags: str, rest: str) -> None:
        if any(words in rest for words in _LOGIN_REFUSED):
            raise SourceAwayError(f"it refuses our name: {rest}")
        notice = _NOTICE_ID.search(tags)
        if notice and notice[1] in _REFUSALS:
            log.error("channel_refused", notice=rest)
            self._note_answers(rest)

    def _note_answers(self, rest: str) -> None:
        self._unanswered.difference_update(_CHANNEL.findall(rest.partition(" :")[0]))
        if not self._unanswered:
            self._answered.set()

    async def _join(self, connection: ClientConnection) -> None:
        """Join the channels; those that do not answer are asked again and again."""
        async with asyncio.timeout(self._policy.answer_s):
            await self._greeted.wait()
        while self._unanswered:
            await self._ask_for(connection, sorted(self._unanswered))
            try:
                async with asyncio.timeout(self._policy.answer_s):
                    await self._answered.wait()
            except TimeoutError:
                log.warning("channels_unanswered", channels=sorted(self._unanswered))
                self.ready.set()
                await asyncio.sleep(self._policy.again_s)
        self.ready.set()
        await asyncio.Event().wait()

    async def _ask_for(self, connection: ClientConnection, channels: list[str]) -> None:
        first = 0
        while first < len(channels):
            count = await self._gate.enter(len(channels) - first)
            names = ",".join(f"#{name}" for name in channels[first : first + count])
            await connection.send(f"JOIN {names}")
            first += count
