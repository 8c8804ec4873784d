"""Deliveries: lines handed to the API until it has decided about each of them.

    202 -> accepted, or refused row by row     413 -> halves     400, 409, 415, 422 -> refused
    away, 429, 5xx, and whatever else speaks of the caller and not of the body -> asked again

Runs in a thread, because ``streaming.ingest`` waits where it stands.
"""

import secrets
import threading
from collections.abc import Sequence
from itertools import count
from typing import Final

import orjson
import structlog

from core.clock import Clock
from core.errors import ServiceMissingError
from streaming.connectors.refusals import Refusals
from streaming.ingest.clients import Answer, ApiClient
from streaming.ingest.senders import Sender

PATH: Final = "/api/v1/ingest"

BODY_REFUSED: Final = frozenset({400, 409, 413, 415, 422})
"""Answers that tell of the body: to send it again cannot help."""

SHUT_PAUSE_S: Final = 5.0
"""Between questions to an API that lets this caller in no more, or is none."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class DeliveryStoppedError(Exception):
    """The process ends before the API has decided; what is undecided is not acknowledged."""


class Delivery:
    """Sends lines of NDJSON, one body after the other."""

    def __init__(self, client: ApiClient, clock: Clock, refusals: Refusals) -> None:
        self._given_up = threading.Event()
        self._sender = Sender(client, clock, self._pause)
        self._refusals = refusals
        # No other process, and no other body of this one, ever has the same key.
        self._run_id = secrets.token_hex(12)
        self._numbers = count()

    def send(self, lines: Sequence[bytes]) -> int:
        """Send lines as one body; return how many were accepted, once all are decided.

        Raises:
            DeliveryStoppedError: The process ends.
            ServiceMissingError: Somebody else answers, or a refusal cannot be written down.
        """
        answer = self._ask(b"\n".join(lines))
        if answer.is_success:
            return self._read_receipt(answer, lines)
        if answer.status == 413 and len(lines) > 1:
            middle = len(lines) // 2
            return self.send(lines[:middle]) + self.send(lines[middle:])
        reason = f"status {answer.status}: {answer.excerpt}"
        self._refusals.note([(line, reason) for line in lines])
        return 0

    def refuse(self, rows: Sequence[tuple[bytes, str]]) -> None:
        """Note rows that are not worth a request."""
        self._refusals.note(list(rows))

    def give_up(self) -> None:
        """End a delivery that waits for the API to come back."""
        self._given_up.set()

    def _ask(self, body: bytes) -> Answer:
        headers = {
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": f"{self._run_id}-{next(self._numbers)}",
        }
        while True:
            answer = self._sender.ask("POST", PATH, body, headers)
            if answer.is_success or answer.status in BODY_REFUSED:
                return answer
            log.error("door_shut", status=answer.status, answer=answer.excerpt)
            self._pause(SHUT_PAUSE_S)

    def _read_receipt(self, answer: Answer, lines: Sequence[bytes]) -> int:
        try:
            receipt = orjson.loads(answer.body)
            rejected = int(receipt["rejected"])
            named = [(lines[row["index"]], row["reason"]) for row in receipt["errors"]]
        except (ValueError, LookupError, TypeError):
            raise ServiceMissingError(
                f"What answers {PATH} with {answer.status} is not Telemetra. Check --url."
            ) from None
        if rejected:
            self._refusals.note(named, unnamed=rejected - len(named))
        return len(lines) - rejected

    def _pause(self, seconds: float) -> None:
        if self._given_up.wait(seconds):
            raise DeliveryStoppedError
