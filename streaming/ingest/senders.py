"""Senders: requests repeated until the API has decided, and events in bodies that count once.

    events -> bodies of NDJSON -> the same body under the same key -> 2xx or 4xx
                                        ^-- pause <-- away, 429, 5xx

While a body waits nothing else is sent, so that nothing piles up here; the caller sees that time
has passed. The simulator and the replay of the archive send through this.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Final

import orjson
import structlog

from core.clock import Clock
from streaming.ingest.clients import Answer, ApiAwayError, ApiClient

BODY_EVENTS_MAX: Final = 5000
"""About one megabyte, far below what the API takes at once."""

REFUSALS_LOGGED_EVERY: Final = 240
"""After the first in a row; at four bodies a second that is one line a minute."""

Sleep = Callable[[float], None]

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PausePolicy:
    """Decides how long to wait before asking again."""

    first_s: float = 0.5
    max_s: float = 10.0
    asked_s_max: float = 300.0
    """The longest that the API's own wish is followed."""

    def find_pause_s(self, tries: int, wish: str | None, clock: Clock) -> float:
        """Return the seconds to wait after a number of failed tries.

        Args:
            tries: How many have failed, from 1.
            wish: The header Retry-After, seconds or a date.
            clock: What a date is compared with.
        """
        wished_s = _read_wish(wish, clock)
        if wished_s is not None:
            return min(max(wished_s, 0.0), self.asked_s_max)
        return min(self.first_s * 2.0 ** min(tries - 1, 10), self.max_s)


class Sender:
    """Sends requests until they are decided."""

    def __init__(
        self, client: ApiClient, clock: Clock, sleep: Sleep, pauses: PausePolicy | None = None
    ) -> None:
        self._client = client
        self._clock = clock
        self._sleep = sleep
        self._pauses = pauses or PausePolicy()
        self._refused_in_row = 0
        self.events_sent = 0
        self.events_rejected = 0

    def send_events(self, events: Sequence[Mapping[str, object]]) -> None:
        """Send events in bodies, one after the other; a refused body is logged and left behind."""
        for first in range(0, len(events), BODY_EVENTS_MAX):
            part = events[first : first + BODY_EVENTS_MAX]
            self.send_lines(b"\n".join(map(orjson.dumps, part)), len(part))

    def send_lines(self, lines: bytes, count: int) -> None:
        """Send a body of NDJSON under a key that is made of it: no two bodies can share one."""
        self.send_body(lines, count, key=blake2b(lines, digest_size=16).hexdigest())

    def send_body(self, body: bytes, count: int, *, key: str) -> None:
        """Send a body of NDJSON that counts once, however often it has to be sent."""
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": key}
        answer = self.ask("POST", "/api/v1/ingest", body, headers)
        if answer.is_success:
            self._note_success(answer, count)
        else:
            self._note_refusal(answer, count)

    def ask(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """Send a request again and again until the answer is final."""
        blocked_at_ms = self._clock.now_ms()
        tries, known_reason = 0, ""
        while True:
            answer, reason = self._try(method, path, body, headers or {})
            if answer and answer.is_final:
                break
            tries += 1
            pause_s = self._pauses.find_pause_s(
                tries, answer.retry_after if answer else None, self._clock
            )
            if reason != known_reason:
                log.warning("request_blocked", path=path, reason=reason, pause_seconds=pause_s)
                known_reason = reason
            self._sleep(pause_s)
        if tries:
            seconds = (self._clock.now_ms() - blocked_at_ms) / 1000
            log.info("request_unblocked", path=path, tries=tries + 1, seconds=seconds)
        return answer

    def _try(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[Answer | None, str]:
        """Return the answer, if there is one, and why it may not be final."""
        try:
            answer = self._client.request(method, path, body, headers)
        except ApiAwayError as error:
            return None, str(error)
        return answer, f"status {answer.status}"

    def _note_success(self, answer: Answer, count: int) -> None:
        self._refused_in_row = 0
        self.events_sent += count
        try:
            outcome = orjson.loads(answer.body)
        except orjson.JSONDecodeError:
            return
        if isinstance(outcome, dict) and outcome.get("rejected"):
            self.events_rejected += int(outcome["rejected"])
            log.warning("events_rejected", count=outcome["rejected"], answer=answer.excerpt)

    def _note_refusal(self, answer: Answer, count: int) -> None:
        if self._refused_in_row % REFUSALS_LOGGED_EVERY == 0:
            log.error("body_refused", status=answer.status, events=count, answer=answer.excerpt)
        self._refused_in_row += 1
        self.events_rejected += count


def _read_wish(wish: str | None, clock: Clock) -> float | None:
    """Return the seconds that a header Retry-After asks for, or None when it says nothing."""
    if wish is None:
        return None
    if wish.strip().isdecimal():
        return float(wish)
    try:
        return (parsedate_to_datetime(wish) - clock.now()).total_seconds()
    except (TypeError, ValueError):
        return None
