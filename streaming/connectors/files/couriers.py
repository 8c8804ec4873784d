"""Couriers: pieces taken to the API until each is decided, and what it says of every row."""

from dataclasses import dataclass, field
from typing import Final

import orjson
import polars as pl

from core.clock import Clock
from core.errors import TelemetraError
from core.events import RejectedRow
from core.tables import ROW
from streaming.connectors.files.bodies import Body, Piece, Window
from streaming.ingest.clients import Answer
from streaming.ingest.senders import Sender

PATH: Final = "/api/v1/ingest"

UNNAMED: Final = "refused by the API, which names only the first of a body"


class BodyRefusedError(TelemetraError):
    """The API wants none of a body; nothing of it was taken."""

    code = "body_refused"
    title = "The API refused"


@dataclass(slots=True)
class Outcome:
    """What became of a body."""

    accepted: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    unnamed: int = 0
    """Refused by the API without saying which."""


class Courier:
    """Takes bodies to the API."""

    def __init__(self, sender: Sender, clock: Clock, window: Window) -> None:
        self._sender = sender
        self._clock = clock
        self._window = window

    def deliver(self, body: Body, *, generation: int) -> Outcome:
        """Send a body, again and again until it is decided.

        Args:
            body: It counts once, however often it is sent.
            generation: Another one makes the same body another request.

        Raises:
            BodyRefusedError: The API wants none of it.
        """
        outcome = Outcome(rejected=list(body.rejected))
        for piece in body.pieces:
            headers = {
                "Content-Type": "application/vnd.apache.arrow.stream",
                "Idempotency-Key": f"file-{generation}-{piece.digest}",
            }
            answer = self._sender.ask("POST", PATH, piece.arrow, headers)
            if not answer.is_success:
                raise BodyRefusedError(_explain(answer))
            self._note(outcome, piece, orjson.loads(answer.body))
        outcome.rejected.sort(key=lambda row: row.index)
        return outcome

    def _note(self, outcome: Outcome, piece: Piece, said: dict[str, object]) -> None:
        refused = int(str(said["rejected"]))
        outcome.accepted += int(str(said["accepted"]))
        errors = said["errors"]
        if not refused or not isinstance(errors, list):
            return
        named = [RejectedRow(error["index"], error["reason"]) for error in errors]
        for row in named:
            self._window.learn(row.reason)
        if len(named) < refused:
            named += self._find_unnamed(piece, named, refused - len(named))
        rows = piece.events[ROW]
        outcome.rejected += [RejectedRow(rows[row.index], row.reason) for row in named]
        outcome.unnamed += refused - len(named)

    def _find_unnamed(
        self, piece: Piece, named: list[RejectedRow], count: int
    ) -> list[RejectedRow]:
        """Return the refused rows beyond those named, if they are those that are too old."""
        past, last = self._window.past, named[-1]
        if past is None:
            return []
        events = piece.events.with_row_index("index").filter(pl.col("index") > last.index)
        old = events.filter(pl.col("timestamp") < self._clock.now() - past)["index"].to_list()
        reason = f"timestamp lies more than {past.days} days in the past"
        return [RejectedRow(index, reason) for index in old] if len(old) == count else []


def _explain(answer: Answer) -> str:
    try:
        detail = str(orjson.loads(answer.body)["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        detail = answer.excerpt
    return f"The API refused ({answer.status}): {detail}"
