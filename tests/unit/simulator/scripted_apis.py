"""Scripted APIs: a real HTTP server on this machine that answers what a test tells it to."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Condition, Thread
from typing import ClassVar, Self


@dataclass(frozen=True)
class Reply:
    """What is answered to one request; status None hangs up instead."""

    status: int | None = 202
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b'{"accepted": 1, "rejected": 0, "errors": []}'


@dataclass(frozen=True)
class Request:
    """A request that arrived."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class ScriptedApi:
    """Answers ingest requests from a script, then 202; knows the streams it is told to know."""

    def __init__(
        self, replies: Iterable[Reply] = (), *, known: Iterable[str] = (), port: int = 0
    ) -> None:
        self.requests: list[Request] = []
        self._replies = list(replies)
        self._known = set(known)
        self._changed = Condition()
        handler = type("Handler", (_Handler,), {"api": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def bodies(self) -> list[bytes]:
        """The ingest bodies in the order of arrival, repeats included."""
        return [request.body for request in self._ingests()]

    @property
    def keys(self) -> list[str]:
        """Their idempotency keys."""
        return [request.headers["Idempotency-Key"] for request in self._ingests()]

    def wait_for_bodies(self, count: int) -> bool:
        """Wait until so many ingest requests have arrived."""
        with self._changed:
            return self._changed.wait_for(lambda: len(self._ingests()) >= count, timeout=60)

    def reply_to(self, request: Request) -> Reply:
        """Note a request and return what to answer."""
        with self._changed:
            self.requests.append(request)
            self._changed.notify_all()
            if request.method == "GET":
                stream_id = request.path.split("/")[4]
                return Reply(200 if stream_id in self._known else 404)
            if request.method == "PUT":
                return Reply(405)
            return self._replies.pop(0) if self._replies else Reply()

    def _ingests(self) -> list[Request]:
        return [request for request in self.requests if request.method == "POST"]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    api: ClassVar[ScriptedApi]

    def handle(self) -> None:
        """Serve a connection; a client that is killed may break it off."""
        with suppress(ConnectionError):
            super().handle()

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        request = Request(self.command, self.path, dict(self.headers), body)
        reply = self.api.reply_to(request)
        if reply.status is None:
            self.close_connection = True
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    do_GET = do_PUT = do_POST = _answer  # noqa: N815 - names that the library looks for.

    def log_message(self, *_: object) -> None:
        """Stay silent."""
