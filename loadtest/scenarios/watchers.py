"""Watchers: clients that stay connected and are told what happens."""

import random
import time
from collections.abc import Mapping
from typing import ClassVar, Final

import gevent
from locust import User, constant, task

from core.clock import SystemClock
from loadtest.load.measures import AGE
from loadtest.scenarios.boards import Board
from loadtest.scenarios.feeders import Feeder
from loadtest.scenarios.sequences import Message, Watch, read_time
from loadtest.scenarios.sockets import EndedError, LiveConnection, LiveEvents, LiveSocket

STREAMS_FOLLOWED: Final = 3
MOBILE_SHARE: Final = 0.3
BREAK_S: Final = 6.0
"""How long a mobile watcher's connection holds on average; reality is kinder."""

RETURN_S: Final = (0.3, 1.5)
"""How long it is away, when the server does not ask for something else."""

REFUSED_S: Final = (2.0, 4.0)
"""How long who was refused waits."""

JITTER: Final = 0.1
"""The server spreads its clients already; this keeps those apart that it asked alike."""

WATCHES_MAX: Final = 500
"""Whose messages are remembered one by one, at most; all others are told apart by seq only."""


class Watcher(User):
    """A client that connects, takes messages, checks them, and comes back after breaks.

    Three in ten are on the move: their connection breaks every six seconds on average, without a
    goodbye, and they come back after about a second. That is far more often than on a train; it
    makes a short run see many resumes. Who is asked to `reconnect` waits as long as it is told.
    """

    abstract = True
    wait_time = constant(0)
    headers: ClassVar[dict[str, str]] = {}
    kind: ClassVar[str]
    asks_by_address: ClassVar[bool] = True
    """Whether who connects has thereby said where it was."""

    @property
    def board(self) -> Board:
        """What all users share."""
        board: Board = self.environment.board
        return board

    def on_start(self) -> None:
        """Choose what to follow."""
        self.streams = tuple(random.sample(list(Feeder.streams), self.choose_count()))
        self.watch = Watch(self.board.told, self.streams)
        self._is_mobile = random.random() < MOBILE_SHARE  # noqa: S311 - no secret.
        self._return_s = 0.0
        self._is_asked_to_leave = False
        if len(self.board.watches) < WATCHES_MAX:
            self.board.watches.append(self.watch)

    def choose_count(self) -> int:
        """Return how many streams to follow."""
        return STREAMS_FOLLOWED

    def open(self, position: int | None) -> LiveConnection:
        """Connect, and go on from a position if there is one.

        Raises:
            EndedError: There is no connection.
        """
        raise NotImplementedError

    def greet(self, connection: LiveConnection, message: Message) -> None:
        """Say what is wanted once connected, where the address does not say it."""

    @task
    def follow(self) -> None:
        """Live through one connection."""
        self._return_s = random.uniform(*RETURN_S)  # noqa: S311 - no secret.
        self._is_asked_to_leave = False
        self.watch.connect()
        try:
            self._take_all()
        except EndedError as error:
            self._note_end(error)
        self.board.away += 1
        gevent.sleep(self._return_s)
        self.board.away -= 1

    def _take_all(self) -> None:
        """Take messages until the connection ends, or is due to break."""
        began_s = time.perf_counter()
        breaks_s = began_s + random.expovariate(1 / BREAK_S)
        is_new = self.watch.position is None
        name = f"live: {'connect' if is_new else 'resume'} {self.kind}"
        try:
            connection = self.open(self.watch.position)
        except EndedError as error:
            self._report(name, began_s, error)
            self._return_s = random.uniform(*REFUSED_S)  # noqa: S311 - no secret.
            return
        if self.asks_by_address and not is_new:
            self.watch.ask()
        try:
            for message in connection.read():
                self._take(connection, message)
                if message.get("type") == ("connected" if is_new else "resumed"):
                    self._report(name, began_s)
                    is_new = True
                if self._is_mobile and time.perf_counter() > breaks_s and self._may_break():
                    self.board.facts["breaks"] += 1
                    return
        finally:
            connection.close()

    def _may_break(self) -> bool:
        """Whether it knows where it was, and a break would still be made up for."""
        return self.board.is_sending and not self.watch.is_waiting

    def _take(self, connection: LiveConnection, message: Message) -> None:
        facts = self.board.facts
        facts["messages"] += 1
        kind = message.get("type")
        if kind == "connected":
            self.greet(connection, message)
        if kind == "reconnect":
            self._is_asked_to_leave = True
            delay_s = float(message["delay_ms"]) / 1000
            self._return_s = delay_s * (1 + JITTER * random.random())  # noqa: S311 - no secret.
        if kind == "dropped":
            facts["dropped"] += message["count"]
        if kind == "metrics":
            age_ms = SystemClock().now_ms() - read_time(message["timestamp"]).timestamp() * 1000
            self._fire(AGE, age_ms, None)
        if kind != "ping":
            self.board.heard_s = time.monotonic()
        self.watch.take(message)

    def _note_end(self, error: EndedError) -> None:
        """Tell an end that was announced from one that was not."""
        if self._is_asked_to_leave:
            self.board.facts["asked_to_leave"] += 1
            return
        self._report(f"live: end of {self.kind}", time.perf_counter(), error)
        self._return_s = random.uniform(*REFUSED_S)  # noqa: S311 - no secret.

    def _report(self, name: str, began_s: float, error: Exception | None = None) -> None:
        self._fire(name, (time.perf_counter() - began_s) * 1000, error)

    def _fire(self, name: str, time_ms: float, error: Exception | None) -> None:
        self.environment.events.request.fire(
            request_type="LIVE",
            name=name,
            response_time=time_ms,
            response_length=0,
            exception=error,
            context={},
        )


class SocketWatcher(Watcher):
    """A page with several streams on one WebSocket, as ours and most dashboards do it.

    Six in ten watchers. It subscribes once it is greeted, from the position of the greeting on,
    or from the last one it saw; three of ten streams, so that popular and quiet ones mix.
    """

    kind = "socket"
    asks_by_address = False

    def open(self, position: int | None) -> LiveConnection:
        """Connect; what is wanted is said once connected."""
        del position
        return LiveSocket(f"{self.host}/ws/live", self.headers)

    def greet(self, connection: LiveConnection, message: Message) -> None:
        """Subscribe from where it was, or from now."""
        since = self.watch.position
        since = message.get("position") if since is None else since
        wish: dict[str, object] = {"type": "subscribe", "streams": list(self.streams)}
        if since is not None:
            wish["since"] = since
            self.watch.ask()
        assert isinstance(connection, LiveSocket)  # noqa: S101 - made by open.
        connection.say(wish)


class StreamWatcher(Watcher):
    """A widget or an overlay that shows one stream, by a WebSocket of its own.

    Two in ten watchers: embedded views know one stream and nothing of subscriptions.
    """

    kind = "stream socket"

    def choose_count(self) -> int:
        """Return how many streams to follow."""
        return 1

    def open(self, position: int | None) -> LiveConnection:
        """Connect, with the position in the address."""
        resume = "" if position is None else f"?resume={position}"
        return LiveSocket(f"{self.host}/ws/live/{self.streams[0]}{resume}", self.headers)


class EventWatcher(Watcher):
    """A script, or a page behind a proxy that lets no WebSocket through: server-sent events.

    Two in ten watchers, three streams each; it comes back as a browser's ``EventSource`` does.
    """

    kind = "events"

    def open(self, position: int | None) -> LiveConnection:
        """Connect, with the last id in the header that browsers use."""
        headers: Mapping[str, str] = self.headers
        if position is not None:
            headers = {**self.headers, "Last-Event-ID": str(position)}
        return LiveEvents(f"{self.host}/sse/live?streams={','.join(self.streams)}", headers)


def prepare(users: int) -> list[type[User]]:
    """Share users out among the classes, and return the classes."""
    single = max(round(users * 0.2), 1)
    events = max(round(users * 0.2), 1)
    StreamWatcher.fixed_count, EventWatcher.fixed_count = single, events
    SocketWatcher.fixed_count = max(users - single - events, 1)
    return [SocketWatcher, StreamWatcher, EventWatcher]
