"""Bridges: a device that speaks MQTT, as a device of Telemetra.

topics ─► read_value ─► Device.post              Device.command ─► write_order ─► topic
results ─► read_outcome ─► who waits for it      presence, broker ─► Device.tell
"""

import asyncio
from collections import Counter
from typing import Any, Final

import structlog
from paho.mqtt.client import MQTTMessage

from core.clock import Clock
from streaming.devices.mqtt.descriptions import (
    CommandPart,
    Description,
    PresencePart,
    ResultsPart,
    TelemetryPart,
)
from streaming.devices.mqtt.links import BrokerAwayError, Link, LinkOptions
from streaming.devices.mqtt.payloads import (
    Outcome,
    Repeats,
    UnreadableError,
    read_outcome,
    read_value,
    write_order,
)
from streaming.devices.sdk import Command, Device, DeviceError

TOLD_EVERY_MS: Final = 60_000
"""Payloads that cannot be read are told the first time, and then so often with their number."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()

Said = tuple[str | None, dict[str, Any]] | str


class Bridge:
    """Stands between a broker and Telemetra for one device."""

    def __init__(
        self, description: Description, device: Device, options: LinkOptions, clock: Clock
    ) -> None:
        """Declare the device; nothing connects yet.

        Raises:
            SettingsInvalidError: The certificate cannot be used.
            DeviceError: The description does not fit together.
        """
        self._description = description
        self._device = device
        self._clock = clock
        self._repeats = Repeats()
        self._waiting: dict[str, asyncio.Queue[Outcome]] = {}
        self._unread: Counter[str] = Counter()
        self._told_ms = 0
        self._is_there = True
        for name, telemetry in description.telemetry.items():
            _declare_telemetry(device, name, telemetry)
        for name, command in description.commands.items():
            self._declare_command(name, command)
        self._link = Link(options, _list_topics(description), self._hear, self._note_broker)

    async def run(self) -> None:
        """Stay connected to both until cancelled."""
        await self._device.serve(self._link.run)

    def _declare_command(self, name: str, part: CommandPart) -> None:
        about = part.model_dump(
            include={"description", "dangerous", "timeout_seconds", "verifiers"}, exclude_none=True
        )

        # The name is none that a parameter of a device has.
        async def carry_out(_command: Command, **parameters: Any) -> Said:  # noqa: ANN401
            return await self._carry_out(part, _command, parameters)

        carry_out.__doc__ = None
        self._device.command(name, parameters=part.parameters, **about)(carry_out)

    async def _carry_out(
        self, part: CommandPart, command: Command, parameters: dict[str, Any]
    ) -> Said:
        if not self._is_there:
            raise DeviceError("The device says that it is offline; nothing was sent.")
        order = write_order(part, command.command_id, command.name, parameters)
        outcomes: asyncio.Queue[Outcome] = asyncio.Queue()
        self._waiting[command.command_id] = outcomes
        try:
            async with asyncio.timeout(part.timeout_seconds):
                await self._send(part, command, order)
                if not part.answers:
                    return "The broker has it."
                return await _wait_for_end(command, outcomes)
        except TimeoutError:
            raise DeviceError(f"No answer within {part.timeout_seconds:g} s.") from None
        except asyncio.CancelledError:
            await self._call_off(part, command.command_id)
            raise
        finally:
            del self._waiting[command.command_id]

    async def _send(self, part: CommandPart, command: Command, order: bytes) -> None:
        was_there = self._link.is_connected
        try:
            await self._link.publish(part.topic, order)
        except BrokerAwayError as error:
            if not (was_there and part.answers):
                raise
            # The broker may have it: what the device says, if it says anything, is the truth.
            command.progress(error.detail)

    async def _call_off(self, part: CommandPart, command_id: str) -> None:
        """Tell the device that a command is not wanted any more, where it can hear that."""
        if part.cancel_topic is None:
            return
        try:
            async with asyncio.timeout(1):
                order = write_order(part.model_copy(update={"payload": None}), command_id, "", {})
                await self._link.publish(part.cancel_topic, order)
        except (BrokerAwayError, TimeoutError) as error:
            log.warning("cancel_not_sent", command_id=command_id, reason=str(error))

    def _hear(self, message: MQTTMessage) -> None:
        """Take one message; whatever is in it, the next one is taken as well."""
        description = self._description
        if description.presence and message.topic == description.presence.topic:
            self._note_presence(description.presence, bytes(message.payload))
        # What a broker kept is of a command that is long over.
        if description.results and message.topic == description.results.topic:
            if not message.retain:
                self._take_outcome(description.results, bytes(message.payload))
            return
        for name, part in description.telemetry.items():
            if part.topic == message.topic and (not message.retain or part.retained == "keep"):
                self._take_value(name, part, bytes(message.payload))

    def _take_value(self, name: str, part: TelemetryPart, payload: bytes) -> None:
        try:
            said = read_value(part, payload)
            if not self._repeats.is_repeat(name, said.at):
                self._device.post(name, said.value, said.at)
        except (UnreadableError, DeviceError) as error:
            self._note_unreadable(f"{name}: {error}")

    def _take_outcome(self, part: ResultsPart, payload: bytes) -> None:
        try:
            outcome = read_outcome(part, payload)
        except UnreadableError as error:
            self._note_unreadable(f"results: {error}")
            return
        waiting = self._waiting.get(outcome.command_id)
        if waiting is None:
            # Said twice, or too late, or to somebody else who orders this device.
            log.info("result_ignored", command_id=outcome.command_id, stage=outcome.stage)
        else:
            waiting.put_nowait(outcome)

    def _note_unreadable(self, reason: str) -> None:
        self._unread[reason[:200]] += 1
        now_ms = self._clock.now_ms()
        if now_ms - self._told_ms < TOLD_EVERY_MS and len(self._unread) < 100:
            return
        self._told_ms = now_ms
        unread, self._unread = dict(self._unread), Counter()
        log.warning("payloads_unreadable", reasons=unread)
        self._device.tell("payloads_unreadable", reasons=unread)

    def _note_broker(self, is_there: bool) -> None:
        self._device.tell("broker_back" if is_there else "broker_away")

    def _note_presence(self, part: PresencePart, payload: bytes) -> None:
        is_there = payload.decode(errors="replace").strip() != part.offline
        if is_there != self._is_there:
            self._is_there = is_there
            self._device.tell("device_online" if is_there else "device_offline")


async def _wait_for_end(command: Command, outcomes: "asyncio.Queue[Outcome]") -> Said:
    """Return what the device says at the end, and hand on what it says before.

    Raises:
        DeviceError: It failed.
    """
    while True:
        outcome = await outcomes.get()
        match outcome.stage:
            case "succeeded":
                return outcome.message, outcome.details or {}
            case "failed":
                raise DeviceError(outcome.message or "The device says that it failed.")
            case "running":
                command.progress(outcome.message or "running", **(outcome.details or {}))


def _declare_telemetry(device: Device, name: str, part: TelemetryPart) -> None:
    device.telemetry(
        name,
        part.unit,
        part.data_type,
        min=part.min,
        max=part.max,
        enum=part.enum,
        description=part.description,
    )


def _list_topics(description: Description) -> dict[str, int]:
    """Return what to subscribe to; of a topic that is wanted twice the better quality."""
    topics: dict[str, int] = {}
    for part in description.telemetry.values():
        topics[part.topic] = max(part.quality, topics.get(part.topic, 0))
    for other in (description.results, description.presence):
        if other is not None:
            topics[other.topic] = 1
    return topics
