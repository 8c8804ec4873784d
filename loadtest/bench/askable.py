"""Askable servers: the contenders of ``loadtest.bench.serving`` as processes that take turns.

    start all ─► stopped (SIGSTOP) ─► asked (SIGCONT) ─► stopped ─► …

Who is not asked uses no processor time: neither for itself nor for what it does in the background.
"""

import http.client
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import orjson

from infra.services.ports import LOOPBACK, choose_port
from loadtest.bench.processes import Process
from loadtest.bench.servers import Servers

START_S_MAX: Final = 60
ANSWER_S_MAX: Final = 10

UNLIKE: Final = frozenset({"date"})
"""Headers that the server adds to every answer."""


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


@dataclass(frozen=True, slots=True)
class Askable:
    """A server on a port of its own."""

    process: Process
    port: int
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Where it is asked."""
        return f"http://{LOOPBACK}:{self.port}"

    def ask(self, path: str) -> Answered:
        """Ask once.

        Raises:
            OSError: Nobody answers there.
        """
        connection = http.client.HTTPConnection(LOOPBACK, self.port, timeout=ANSWER_S_MAX)
        try:
            connection.request("GET", path, headers=self.headers)
            answer = connection.getresponse()
            return Answered(answer.status, answer.getheaders(), answer.read())
        finally:
            connection.close()

    def wait_until_good(self, path: str) -> None:
        """Wait until a path is answered with 200."""

        def is_good() -> bool:
            try:
                return self.ask(path).status == http.client.OK
            except OSError:
                return False

        self.process.wait_until(is_good, START_S_MAX)

    @contextmanager
    def awake(self) -> Iterator[None]:
        """Let it run for the length of a block, and only then."""
        self.process.meter.resume()
        try:
            yield
        finally:
            self.process.meter.suspend()


def start_ours(
    servers: Servers, stack: ExitStack, name: str, key: str | None, **more: str
) -> Askable:
    """Start the API, with a key asked for when there is one to show."""
    port = choose_port()
    settings = {"API_HOST": LOOPBACK, "API_PORT": str(port), "LOG_LEVEL": "INFO", **more}
    settings["API_KEYS"] = "off" if key is None else "required"
    process = stack.enter_context(servers.run("api", name=name, **settings))
    # A stopped process hears no signal to end.
    stack.callback(process.meter.resume)
    headers = {} if key is None else {"Authorization": f"Bearer {key}"}
    return Askable(process, port, headers)


def start_peer(servers: Servers, stack: ExitStack, name: str, *arguments: str) -> Askable:
    """Start ``loadtest.peers.<name>``."""
    port = choose_port()
    module = f"loadtest.peers.{name}"
    process = stack.enter_context(servers.run(module, str(port), *arguments, name=f"{name}-{port}"))
    stack.callback(process.meter.resume)
    return Askable(process, port)


def save_answer(answered: Answered, file: Path) -> None:
    """Save an answer for a peer to send again."""
    headers = [[name, value] for name, value in answered.headers if name.lower() not in UNLIKE]
    file.write_bytes(orjson.dumps({"headers": headers, "body": answered.body.decode()}))
