"""Callers: users that speak HTTP, the probe that all are held against, and what both need.

Locust's fast client measures each request and reports it; a name is ``group: what``.
"""

import random
import time
import uuid
from typing import Final

import gevent
import orjson
from locust import FastHttpUser, constant_pacing, task
from locust.contrib.fasthttp import FastResponse, ResponseContextManager
from locust.exception import StopUser

from core.clock import SystemClock
from loadtest.load.measures import LIVEZ
from loadtest.scenarios.boards import Board
from loadtest.scenarios.bodies import Template

ATTEMPTS_MAX: Final = 4
"""A body that is refused so often is given up, and what became of it is unsure."""

RETRY_S_MAX: Final = 5.0

PROBES_A_SECOND: Final = 20

EXCERPT_MAX: Final = 120


class Caller(FastHttpUser):
    """A user of the HTTP API."""

    abstract = True
    network_timeout = 30.0
    connection_timeout = 10.0
    default_headers: dict[str, str] = {}  # noqa: RUF012 - as Locust declares it.
    """The key, when there is one; set before users are made."""

    @property
    def board(self) -> Board:
        """What all users share."""
        board: Board = self.environment.board
        return board

    def go_on(self) -> None:
        """End this user when nothing new is to be begun.

        Raises:
            StopUser: It is over.
        """
        if not self.board.is_sending:
            raise StopUser

    def send(self, stream_id: str, template: Template, name: str) -> bool:
        """Send a body until it is acknowledged, as a careful sender does it; tell whether it was.

        The key makes a repeat count once, whatever became of the first.
        """
        self.board.busy += 1
        try:
            is_taken = self._try_to_send(stream_id, template, name)
        finally:
            self.board.busy -= 1
        counted = self.board.acknowledged if is_taken else self.board.unsure
        counted[stream_id] += template.chats
        return is_taken

    def _try_to_send(self, stream_id: str, template: Template, name: str) -> bool:
        body = template.stamp(stream_id, SystemClock().now())
        headers = {"Content-Type": "application/x-ndjson", "Idempotency-Key": uuid.uuid4().hex}
        for _ in range(ATTEMPTS_MAX):
            answer = self.client.post(
                "/api/v1/ingest",
                data=body,  # type: ignore[arg-type]  # Bytes are sent as they are.
                headers=headers,
                name=name,
                catch_response=True,
            )
            with answer:
                if is_taken := answer.status_code == 202:
                    _note_receipt(answer, template)
                else:
                    answer.failure(describe(answer))
            if is_taken:
                return True
            gevent.sleep(choose_wait_s(read_header(answer, "retry-after")))
        return False


class Prober(Caller):
    """Asks ``GET /livez`` twenty times a second, which costs the server nothing.

    Every ratio to it says how much dearer the real requests are, on this machine, with this
    generator, in this very run. Twenty a second give some 600 samples in half a minute and cost
    less than one per cent of a core.
    """

    fixed_count = 1
    wait_time = constant_pacing(1 / PROBES_A_SECOND)

    @task
    def ask(self) -> None:
        """Ask once."""
        self.go_on()
        self.client.get("/livez", name=LIVEZ)


class Pace:
    """A schedule that waits for nobody: what could not be sent in time is still to be sent."""

    def __init__(self, period_s: float) -> None:
        self._period_s = period_s
        self._first_s = time.monotonic()
        self._taken = 0

    def count_due(self, at_s: float | None = None) -> int:
        """Return how many are due now, or were at a time, and are not taken yet."""
        passed_s = (time.monotonic() if at_s is None else at_s) - self._first_s
        return max(int(passed_s / self._period_s) + 1 - self._taken, 0)

    def wait(self) -> None:
        """Wait for the next one, not at all when it is late already."""
        due_s = self._first_s + self._taken * self._period_s
        gevent.sleep(max(due_s - time.monotonic(), 0))

    def take(self) -> None:
        """Take one."""
        self._taken += 1


def wait_random_phase(period_s: float) -> None:
    """Spread users over a period, or all of them would send in the same moment."""
    gevent.sleep(random.random() * period_s)  # noqa: S311 - no secret.


def choose_wait_s(said: str) -> float:
    """Return how long to wait before trying again, as the server says and a little more."""
    asked_s = float(said) if said.isdecimal() else 1.0
    return min(asked_s, RETRY_S_MAX) * (1 + 0.2 * random.random())  # noqa: S311 - no secret.


def read_header(answer: FastResponse, name: str) -> str:
    """Return a header of an answer, empty when there is no header or no answer."""
    return "" if answer.headers is None else str(answer.headers.get(name, ""))


def describe(answer: FastResponse) -> str:
    """Return on one line what was wrong; a problem document by its code."""
    if not answer.status_code:
        return f"no answer ({type(getattr(answer, 'error', None)).__name__})"
    try:
        problem = orjson.loads(answer.content or b"")
        code = str(problem["type"]).rpartition(":")[2]
    except (ValueError, KeyError, TypeError):
        code = (answer.content or b"").decode(errors="replace")[:EXCERPT_MAX]
    return f"{answer.status_code} {' '.join(code.split())}"


def _note_receipt(answer: ResponseContextManager, template: Template) -> None:
    receipt = orjson.loads(answer.content or b"{}")
    if receipt["accepted"] != template.events:
        answer.failure(f"202, but {receipt['rejected']} of {template.events} events rejected")
