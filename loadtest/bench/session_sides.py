"""Session sides: ours and the peer as ``loadtest.bench.sessions`` asks them, and what a turn is.

    batches   one after the other over one connection, a number of them
    singles   wrk posts points, one a request
    reads     wrk asks about a session that holds ``STORED`` points; perhaps points arrive meanwhile
    showings  a batch, and then how long until ``latest`` tells of it

What is written goes to a session of its own, so that reads find the same each time.
"""

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final
from urllib.parse import urlencode

import orjson

from api.ingest.readers import JSON_TYPE
from loadtest.bench.askable import Askable
from loadtest.bench.spreads import find_percentile
from loadtest.bench.wrks import Wanted, run_wrk, write_posts
from streaming.ingest.clients import ApiClient

ROOT: Final = "/api/v1/sessions"
OURS: Final = "ours"
PEER: Final = "peer"
STORED: Final = 50_000
SPAN: Final = timedelta(hours=4)
CHANNELS: Final = tuple(f"cell_{number}_temp" for number in range(5))
SINGLE_BODIES: Final = 1_000
SINGLE_SPAN: Final = timedelta(minutes=4)
"""Sent again and again, they are not late: a minute takes what is five minutes old."""

BATCHES_KEPT: Final = 64
LIVE_EVERY_S: Final = 0.5
SHOWN_S_MAX: Final = 30.0
RANGE_ROWS_MAX: Final = 10_000

Row = dict[str, Any]


class WrongAnswerError(Exception):
    """Somebody did not do what was asked, or the two sides do not agree; the text says how."""


@dataclass(frozen=True, slots=True)
class Take:
    """What one turn found."""

    rate: float
    """Points or requests a second."""

    p50_ms: float
    p99_ms: float
    cpu_ms: float
    """Processor time of the process that answers, for each request."""


def draw_points(count: int, began_at: datetime, span: timedelta = SPAN) -> list[Row]:
    """Return points of all channels in turn, evenly over a span."""
    step = span / count
    return [
        {
            "timestamp": (began_at + step * number).isoformat(),
            "channel": CHANNELS[number % len(CHANNELS)],
            "value": round(20 + number % 977 / 50, 2),
            "unit": "°C",
        }
        for number in range(count)
    ]


@lru_cache(BATCHES_KEPT)
def draw_batch(count: int, began_at: datetime) -> bytes:
    """Return points as they are sent; both sides are sent the same bytes."""
    return orjson.dumps({"data": draw_points(count, began_at)})


class Side:
    """Somebody who is asked, and the session that reads are about."""

    def __init__(
        self, name: str, server: Askable, began_at: datetime, settle: Callable[[], None]
    ) -> None:
        self.name = name
        self.server = server
        self.began_at = began_at
        self.settle = settle
        """Returns when everything that was taken can be read, so that nobody pays for it later."""

        self.stored = ""
        """The path of the session that holds points."""

        self.arrived = 0
        """Points that came to it since."""

    @contextmanager
    def client(self) -> Iterator["Client"]:
        """Lend a connection that is kept alive."""
        with closing(ApiClient(self.server.url)) as client:
            yield Client(client)

    @contextmanager
    def session(self) -> Iterator[str]:
        """Lend the path of a new session, and let what was written settle."""
        with self.client() as client:
            path = client.create_session()
        yield path
        self.settle()
        if self.name != OURS:
            # Lists that grow from turn to turn would slow it down; tables may grow.
            with self.client() as client:
                client.forget(path)

    def store(self, body: bytes) -> None:
        """Fill the session that reads are about."""
        with self.client() as client:
            self.stored = client.create_session()
            client.post(f"{self.stored}/telemetry/batch", body)
        self.settle()


class Client:
    """One connection."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client

    def create_session(self) -> str:
        """Begin a session and return its path."""
        session = self.post(ROOT, orjson.dumps({"name": "bench"}))
        return f"{ROOT}/{session['id']}"

    def forget(self, path: str) -> None:
        """Delete a session."""
        self._client.request("DELETE", path, None, {})

    def post(self, path: str, body: bytes) -> Row:
        """Send a body.

        Raises:
            WrongAnswerError: It was not taken.
        """
        answer = self._client.request("POST", path, body, {"Content-Type": JSON_TYPE})
        if not answer.is_success:
            raise WrongAnswerError(f"{path}: {answer.status} {answer.excerpt}")
        told: Row = orjson.loads(answer.body)
        return told

    def get(self, path: str) -> Row | None:
        """Ask; None where there is nothing."""
        answer = self._client.request("GET", path, None, {})
        if answer.status == 404:
            return None
        if not answer.is_success:
            raise WrongAnswerError(f"{path}: {answer.status} {answer.excerpt}")
        told: Row = orjson.loads(answer.body)
        return told


@dataclass(frozen=True, slots=True)
class Deed(ABC):
    """One kind of thing that both sides do in turn."""

    name: str
    label: str

    @property
    def is_delay(self) -> bool:
        """Whether it is judged by how long it takes, and not by how many there are in a second."""
        return False

    @abstractmethod
    def run(self, side: Side, seconds: int) -> Take:
        """Let a side that is awake do it."""


@dataclass(frozen=True, slots=True)
class Batches(Deed):
    """Batches, one after the other."""

    points: int
    count: int

    def run(self, side: Side, seconds: int) -> Take:
        """Return points a second, from the first byte sent to the answer read."""
        del seconds
        bodies = [
            draw_batch(self.points, side.began_at + SPAN * number) for number in range(self.count)
        ]
        times: list[float] = []
        with side.session() as path, side.client() as client:
            before = side.server.process.read_cpu_seconds()
            for body in bodies:
                started = time.perf_counter()
                told = client.post(f"{path}/telemetry/batch", body)
                times.append(time.perf_counter() - started)
                if told != {"created": self.points}:
                    raise WrongAnswerError(f"{told}")
            used = side.server.process.read_cpu_seconds() - before
        return sum_up(times, self.points, used)


@dataclass(frozen=True, slots=True)
class Singles(Deed):
    """Points, one a request."""

    connections: int

    def run(self, side: Side, seconds: int) -> Take:
        """Return requests a second."""
        points = draw_points(SINGLE_BODIES, side.began_at, SINGLE_SPAN)
        with side.session() as path, TemporaryDirectory() as folder:
            script = Path(folder) / "posts.lua"
            target = f"{path}/telemetry"
            write_posts(script, target, JSON_TYPE, [orjson.dumps(point) for point in points])
            return shoot(side, target, self.connections, seconds, script)


@dataclass(frozen=True, slots=True)
class Reads(Deed):
    """The same question again and again."""

    question: str
    """What follows the path of the session."""

    connections: int
    is_live: bool = False
    """Whether points arrive meanwhile."""

    def run(self, side: Side, seconds: int) -> Take:
        """Return requests a second."""
        path = f"{side.stored}/telemetry{self.question}"
        if not self.is_live:
            return shoot(side, path, self.connections, seconds)
        with arriving(side):
            return shoot(side, path, self.connections, seconds)


@dataclass(frozen=True, slots=True)
class Showings(Deed):
    """A batch, and how long until it is told of."""

    points: int
    count: int

    @property
    def is_delay(self) -> bool:
        """It is."""
        return True

    def run(self, side: Side, seconds: int) -> Take:
        """Return the time from the acknowledgement to an answer that has the newest point."""
        del seconds
        times: list[float] = []
        with side.session() as path, side.client() as client:
            before = side.server.process.read_cpu_seconds()
            for number in range(self.count):
                at = side.began_at + SPAN * (number + 1)
                body = draw_batch(self.points, at)
                newest = orjson.loads(body)["data"][-1]
                client.post(f"{path}/telemetry/batch", body)
                started = time.perf_counter()
                _wait_until_shown(client, f"{path}/telemetry", newest)
                times.append(time.perf_counter() - started)
            used = side.server.process.read_cpu_seconds() - before
        return sum_up(times, 1, used)


def _wait_until_shown(client: Client, path: str, newest: Row) -> None:
    deadline = time.monotonic() + SHOWN_S_MAX
    wanted = datetime.fromisoformat(newest["timestamp"])
    while time.monotonic() < deadline:
        told = client.get(f"{path}/latest?channel={newest['channel']}")
        if told is not None and datetime.fromisoformat(told["timestamp"]) == wanted:
            return
    raise WrongAnswerError(f"{path}: {newest} was not shown within {SHOWN_S_MAX:g} s")


@contextmanager
def arriving(side: Side) -> Iterator[None]:
    """Let a point arrive twice a second for the length of a block, each newer than all before."""
    over = threading.Event()
    failed: list[Exception] = []

    def send() -> None:
        try:
            with side.client() as client:
                while not over.wait(LIVE_EVERY_S):
                    side.arrived += 1
                    at = side.began_at + SPAN + timedelta(seconds=side.arrived)
                    point = {"timestamp": at.isoformat(), "channel": CHANNELS[0], "value": 1.0}
                    client.post(f"{side.stored}/telemetry", orjson.dumps(point))
        except Exception as error:  # noqa: BLE001 - told below, in the thread that waits.
            failed.append(error)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()
    if failed:
        raise failed[0]


def shoot(
    side: Side, path: str, connections: int, seconds: int, script: Path | None = None
) -> Take:
    """Let wrk ask for some seconds."""
    before = side.server.process.read_cpu_seconds()
    shot = run_wrk(Wanted(f"{side.server.url}{path}", (), script, connections), seconds)
    used = side.server.process.read_cpu_seconds() - before
    if not shot.rate:
        raise WrongAnswerError(f"{path}: nothing was answered within {seconds} s")
    return Take(shot.rate, shot.p50_ms, shot.p99_ms, used / (shot.rate * seconds) * 1000)


def sum_up(times: Sequence[float], each: int, cpu_seconds: float) -> Take:
    """Return what requests one after the other come to, each of so many."""
    return Take(
        each * len(times) / sum(times),
        find_percentile(times, 50) * 1000,
        find_percentile(times, 99) * 1000,
        cpu_seconds / len(times) * 1000,
    )


def ask_hour(began_at: datetime) -> str:
    """Return the question for the second hour of a channel."""
    start = began_at + timedelta(hours=1)
    query = {
        "channel": CHANNELS[0],
        "from": start.isoformat(),
        "to": (start + timedelta(hours=1)).isoformat(),
        "limit": RANGE_ROWS_MAX,
    }
    return f"?{urlencode(query)}"


def require_agreement(sides: Sequence[Side], questions: Sequence[str]) -> None:
    """Require that all sides answer the same, but for their ids.

    Raises:
        WrongAnswerError: They do not.
    """
    for question in questions:
        answers: list[Row | None] = []
        for side in sides:
            with side.server.awake(), side.client() as client:
                answers.append(client.get(f"{side.stored}/telemetry{question}"))
        compare_answers(question, answers)


def compare_answers(question: str, answers: Sequence[Row | None]) -> None:
    """Require that answers are the same, but for their ids.

    Raises:
        WrongAnswerError: They are not.
    """
    kept = [_leave_out_ids(answer) for answer in answers]
    if any(answer != kept[0] for answer in kept):
        excerpt = " ≠ ".join(repr(answer)[:200] for answer in kept)
        raise WrongAnswerError(f"{question}: {excerpt}")


def _leave_out_ids(told: Any) -> Any:  # noqa: ANN401 - any JSON.
    if isinstance(told, list):
        return [_leave_out_ids(each) for each in told]
    if not isinstance(told, dict):
        return told
    kept = {name: told[name] for name in told.keys() - {"id", "session_id"}}
    if "timestamp" in kept:
        kept["timestamp"] = datetime.fromisoformat(kept["timestamp"])
    return {name: _leave_out_ids(value) for name, value in kept.items()}
