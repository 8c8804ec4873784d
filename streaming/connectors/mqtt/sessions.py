"""Sessions: one connection to a broker, in a session that the broker keeps when we are away.

A message of quality 1 is acknowledged when the API has it, and not when it arrives. The library
does the protocol, in a thread of its own; a session that ends is not mended but replaced.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog
from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from streaming.connectors.base import SourceAwayError
from streaming.connectors.mqtt.inboxes import Inbox
from streaming.mqtt.brokers import Certificates, build_context

UNACKNOWLEDGED_MAX: Final = 1000
"""What a broker of MQTT 5 hands over ahead; others have a setting of their own for it."""

KEPT_S: Final = 7 * 24 * 3600
"""So long a broker of MQTT 5 keeps messages for a connector that is away."""

KEEPALIVE_S: Final = 30
CONNECT_S: Final = 10.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Which broker, and as whom."""

    host: str
    port: int
    client_id: str
    filters: Sequence[str]
    is_tls: bool = False
    certificates: Certificates = field(default_factory=Certificates)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    is_version_5: bool = True
    quality: int = 1


class Session:
    """Talks to a broker until one of both ends it."""

    def __init__(
        self, options: SessionOptions, inbox: Inbox, note_ready: Callable[[], None]
    ) -> None:
        self._options = options
        self._inbox = inbox
        self._note_ready = note_ready
        self.is_connected = False
        """Whether the broker has taken what was asked for."""

        self._client = client = _build_client(options)
        client.on_connect = self._ask
        client.on_subscribe = self._note_answer
        client.on_disconnect = self._note_end
        client.on_message = self._take

    def open(self) -> None:
        """Connect, and go on in a thread.

        Raises:
            OSError: Nobody answers, or no certificate convinces.
        """
        options = self._options
        more: dict[str, Any] = {}
        if options.is_version_5:
            more = {"clean_start": False, "properties": _build_properties()}
        self._client.connect(options.host, options.port, KEEPALIVE_S, **more)
        self._client.loop_start()

    def acknowledge(self, packets: Sequence[int]) -> None:
        """Tell the broker that messages have arrived where they belong."""
        if not self.is_connected:
            # It repeats them in the next session, under the same numbers.
            return
        for packet in packets:
            self._client.ack(packet, 1)

    def close(self) -> None:
        """End the connection after what was acknowledged, and the thread."""
        self._inbox.close()
        self._client.disconnect()
        self._client.loop_stop()
        self.is_connected = False

    def _ask(
        self,
        client: Client,
        userdata: object,
        flags: ConnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del userdata, properties
        if reason.is_failure:
            self._inbox.fail(SourceAwayError(f"The broker lets nobody in like that: {reason}."))
            return
        log.info("session_begun", is_resumed=bool(flags.session_present))
        client.subscribe([(asked, self._options.quality) for asked in self._options.filters])

    def _note_answer(
        self,
        client: Client,
        userdata: object,
        packet: int,
        reasons: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        del client, userdata, packet, properties
        refused = [
            f"{asked} ({reason})"
            for asked, reason in zip(self._options.filters, reasons, strict=False)
            if reason.is_failure
        ]
        if refused:
            self._inbox.fail(SourceAwayError(f"The broker refuses {', '.join(refused)}."))
        else:
            self.is_connected = True
            self._note_ready()

    def _note_end(
        self,
        client: Client,
        userdata: object,
        flags: DisconnectFlags,
        reason: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self.is_connected = False
        self._inbox.fail(SourceAwayError(f"The broker hung up: {reason}."))

    def _take(self, client: Client, userdata: object, message: MQTTMessage) -> None:
        del userdata
        # What a broker repeats at once comes before its answer to what is asked for.
        self.is_connected = True
        try:
            message.topic.encode()
        except UnicodeError:
            log.warning("topic_unreadable")
            client.ack(message.mid, message.qos)
        else:
            self._inbox.put(message)


def _build_client(options: SessionOptions) -> Client:
    version = MQTTProtocolVersion.MQTTv5 if options.is_version_5 else MQTTProtocolVersion.MQTTv311
    client = Client(
        CallbackAPIVersion.VERSION2,
        client_id=options.client_id,
        clean_session=None if options.is_version_5 else False,
        protocol=version,
        reconnect_on_failure=False,
        manual_ack=True,
    )
    client.connect_timeout = CONNECT_S
    if options.username is not None:
        client.username_pw_set(options.username, options.password)
    if options.is_tls:
        client.tls_set_context(build_context(options.certificates))
    return client


def _build_properties() -> Properties:
    properties = Properties(PacketTypes.CONNECT)
    properties.SessionExpiryInterval = KEPT_S
    properties.ReceiveMaximum = UNACKNOWLEDGED_MAX
    return properties
