"""Links: the way to a device over its broker, as long as somebody wants it.

    connect ─► subscribe ─► messages … ─► broken ─► pause ─► connect …

The library speaks in a thread of its own. A connection that ends is replaced and not mended: what
was on its way would otherwise reach the device at a time when nobody wants it any more.
"""

import asyncio
import random
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from core.doublings import double
from core.errors import TelemetraError
from streaming.mqtt.brokers import Certificates, build_context

KEEPALIVE_S: Final = 30
CONNECT_S: Final = 10.0
PAUSE_S_MIN: Final = 0.5
PAUSE_S_MAX: Final = 30.0
KEPT_S: Final = 3600
"""So long a broker keeps results for us; later they are of no use."""

WAITING_MAX: Final = 1000
"""Messages that were heard and not looked at: with more of them the broker is held up."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class BrokerAwayError(TelemetraError):
    """The broker is not there, or refuses."""

    status = 503
    code = "broker_away"
    title = "The broker is away"


@dataclass(frozen=True, slots=True)
class LinkOptions:
    """Which broker, and as whom."""

    host: str
    port: int
    client_id: str
    is_tls: bool = False
    authority: Path | None = None
    username: str | None = None
    password: str | None = field(default=None, repr=False)


Hear = Callable[[MQTTMessage], None]
Note = Callable[[bool], None]


class Link:
    """Holds a connection to a broker."""

    def __init__(
        self, options: LinkOptions, topics: Mapping[str, int], hear: Hear, note: Note
    ) -> None:
        """Prepare it.

        Args:
            options: Which broker.
            topics: What to subscribe to, and with which quality.
            hear: Takes messages, in the loop.
            note: Is told when the broker is there, and when it is not.

        Raises:
            SettingsInvalidError: The certificate cannot be used.
        """
        self._options = options
        self._topics = topics
        self._hear = hear
        self._note = note
        self._context = build_context(Certificates(options.authority)) if options.is_tls else None
        self._room = threading.BoundedSemaphore(WAITING_MAX)
        self._client: Client | None = None
        self._sent: dict[int, asyncio.Future[None]] = {}
        self.is_connected = False

    async def run(self) -> None:
        """Stay connected until cancelled."""
        failures = 0
        while True:
            reason = await self._connect_once()
            was_there, self.is_connected = self.is_connected, False
            failures = 0 if was_there else failures + 1
            if was_there or failures == 1:
                log.warning("broker_lost", reason=reason)
                self._note(False)
            pause_s = double(PAUSE_S_MIN, PAUSE_S_MAX, failures)
            await asyncio.sleep(random.uniform(0.5, 1) * pause_s)  # noqa: S311 - spreads load.

    async def publish(self, topic: str, payload: bytes) -> None:
        """Return when the broker has it.

        Raises:
            BrokerAwayError: Nothing was sent, or the broker went away before it said that it has
                it; ``code`` is the same, the text tells which.
        """
        if self._client is None or not self.is_connected:
            raise BrokerAwayError("The broker is away; nothing was sent.")
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        told = self._client.publish(topic, payload, qos=1)
        self._sent[told.mid] = done
        try:
            await done
        finally:
            self._sent.pop(told.mid, None)

    async def _connect_once(self) -> str:
        """Be connected until that ends, and return why."""
        self._loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = self._loop.create_future()
        self._client = client = self._build_client(ended)
        try:
            await asyncio.to_thread(
                client.connect,
                self._options.host,
                self._options.port,
                KEEPALIVE_S,
                clean_start=False,
                properties=_build_properties(),
            )
        except OSError as error:
            return str(error)
        client.loop_start()
        try:
            return await ended
        finally:
            self._client = None
            for waiting in self._sent.values():
                if not waiting.done():
                    waiting.set_exception(
                        BrokerAwayError("The broker went away; whether it took this is not known.")
                    )
            # Its thread may wait for us to look at a message.
            await asyncio.shield(asyncio.to_thread(_close, client))

    def _build_client(self, ended: "asyncio.Future[str]") -> Client:
        options = self._options
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=options.client_id,
            userdata=ended,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_S
        if options.username is not None:
            client.username_pw_set(options.username, options.password)
        if self._context is not None:
            client.tls_set_context(self._context)
        client.on_connect = self._ask
        client.on_subscribe = self._take_answer
        client.on_disconnect = self._end
        client.on_message = self._take
        client.on_publish = self._take_receipt
        return client

    # What follows is called by the thread of the library.

    def _call(self, function: Callable[..., None], *given: object) -> None:
        with suppress(RuntimeError):  # The loop is closed: nobody waits any more.
            self._loop.call_soon_threadsafe(function, *given)

    def _ask(
        self,
        client: Client,
        ended: "asyncio.Future[str]",
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del flags, properties
        if reason.is_failure:
            self._call(_settle, ended, f"it lets nobody in like that: {reason}")
        else:
            client.subscribe(list(self._topics.items()))

    def _take_answer(
        self,
        client: Client,
        ended: "asyncio.Future[str]",
        packet: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        del client, packet, properties
        refused = [str(reason) for reason in reasons if reason.is_failure]
        if refused:
            self._call(_settle, ended, f"it refuses a topic: {refused[0]}")
        else:
            self._call(self._note_connected)

    def _end(
        self,
        client: Client,
        ended: "asyncio.Future[str]",
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, flags, properties
        self._call(_settle, ended, f"it hung up: {reason}")

    def _take(self, client: Client, ended: object, message: MQTTMessage) -> None:
        del client, ended
        self._room.acquire()
        self._call(self._look_at, message)

    def _take_receipt(self, client: Client, ended: object, packet: int, *more: object) -> None:
        del client, ended, more
        self._call(self._note_sent, packet)

    # And this by the loop.

    def _note_connected(self) -> None:
        self.is_connected = True
        log.info("broker_found", host=self._options.host, port=self._options.port)
        self._note(True)

    def _note_sent(self, mid: int) -> None:
        if mid in self._sent and not self._sent[mid].done():
            self._sent[mid].set_result(None)

    def _look_at(self, message: MQTTMessage) -> None:
        self._room.release()
        self._hear(message)


def _settle(ended: "asyncio.Future[str]", reason: str) -> None:
    if not ended.done():
        ended.set_result(reason)


def _close(client: Client) -> None:
    client.disconnect()
    client.loop_stop()


def _build_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = KEPT_S
    return properties
