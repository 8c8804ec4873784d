"""Connections: what one client of devices still has to get.

The same as of every live client, but for two things: the bytes are the same for all, without a
number in front, and what many devices said at once goes out in one write.
"""

from collections.abc import Callable, Collection, Sequence
from typing import ClassVar

from typing_extensions import override

from api.live.connections import Connection, Slot
from core import metrics
from core.device_news import LATEST_WINS, NEVER_SKIPPED, SCRIPT
from core.live import LiveMessage


class DeviceConnection(Connection):
    """The queue of one client, and the devices that it wants."""

    latest_wins: ClassVar[Collection[str]] = LATEST_WINS
    never_skipped: ClassVar[Collection[str]] = NEVER_SKIPPED

    device_id: str | None = None
    """The only one that it wants; None for all."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self._write_frames: Callable[[bytes], bool] | None = None
        self._reaches: Callable[[str], bool] | None = None

    def reach(self, device_id: str | None, reaches: Callable[[str], bool] | None) -> None:
        """Say which device is wanted, and which of all are within reach; None for all."""
        self.device_id = device_id
        self._reaches = reaches

    @property
    def wants_all(self) -> bool:
        """Whether it gets what any device says."""
        return self.device_id is None and self._reaches is None

    def wants_device(self, device_id: str) -> bool:
        """Tell whether it gets what a device says."""
        if self.device_id is not None:
            return device_id == self.device_id
        return self._reaches is None or self._reaches(device_id)

    def write_frames_with(self, write: Callable[[bytes], bool] | None) -> None:
        """Send what is offered together with a function, whenever that says that it could."""
        self._write_frames = write

    def offer_all(self, messages: Sequence[LiveMessage], frames: bytes) -> None:
        """Send messages in one write, or queue each; never waits."""
        if self._write_all(frames):
            self._note_time()
            metrics.live_messages_sent_total.inc(len(messages))
            return
        for message in messages:
            self.offer(message)

    @override
    def _find_slot(self, message: LiveMessage) -> Slot:
        if message.kind == SCRIPT:
            # Its number in the life of the run tells hubs which one is newer.
            run_id = message.key.partition("/")[0]
            return (message.kind, message.stream_id, run_id)
        return super()._find_slot(message)

    def _write_all(self, frames: bytes) -> bool:
        if self._held is not None or not self._is_idle or self._write_frames is None:
            return False
        return self._write_frames(frames)

    @override
    def _put_sequence(self, body: bytes) -> bytes:
        return body
