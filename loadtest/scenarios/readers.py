"""Readers: dashboards that are open on somebody's screen."""

import random
from collections import OrderedDict
from typing import Final
from urllib.parse import quote, urlencode

import orjson
from locust import constant_pacing, task

from core.clock import SystemClock
from loadtest.scenarios.callers import Caller, describe, read_header, wait_random_phase

REFRESH_S: Final = 5.0
LOOKS_AT_A_STREAM: Final = 6
RANGES_S: Final = (3600, 3600, 6 * 3600, 24 * 3600)
"""Most look at the last hour, some at a shift, some at a day."""

POINTS: Final = 800
"""A chart's width in pixels, as a page asks for it."""

POPULARITY: Final = 1.0
"""Exponent of Zipf's law over the streams: few are looked at by many."""

KNOWN_MAX: Final = 200
"""Answers that a browser keeps for one tab."""

FIRST_S: Final = 60
"""Starts are whole minutes, so that a question asked again is the same one."""


class Dashboard(Caller):
    """Somebody with a dashboard open: an overview first, then one stream for half a minute.

    A look at a stream is what such a page asks: who it is, its numbers at automatic resolution
    thinned to the width of a chart, its channels, its moments. It asks again every five seconds,
    the usual setting of a dashboard that refreshes by itself, with ``If-None-Match`` for all that
    it has, as a browser does it. After six looks the next stream is chosen, popular ones more
    often. A minute of one such user is some 50 requests; a hall with twenty screens makes
    seventeen requests a second.
    """

    wait_time = constant_pacing(REFRESH_S)

    def on_start(self) -> None:
        """Begin with the overview, at a moment of its own."""
        self._known: OrderedDict[str, tuple[str, bytes]] = OrderedDict()
        self._looks = 0
        self._paths: dict[str, str] = {}
        wait_random_phase(REFRESH_S)

    @task
    def look(self) -> None:
        """Look at the overview, or again at the stream."""
        self.go_on()
        if self._looks == 0:
            streams = self._ask("read: streams", "/api/v1/streams?limit=500")
            self._ask("read: open moments", "/api/v1/moments?state=open&limit=200")
            self._paths = _choose_stream(streams)
            self._looks = LOOKS_AT_A_STREAM
        for name, path in self._paths.items():
            self._ask(name, path)
        self._looks -= 1

    def _ask(self, name: str, path: str) -> bytes:
        """Ask as a browser does: it sends the name of what it has, and keeps what is new."""
        etag, body = self._known.get(path, ("", b""))
        headers = {"If-None-Match": etag} if etag else {}
        answer = self.client.get(path, headers=headers, name=name, catch_response=True)
        with answer:
            if answer.status_code == 200:
                self._count(etag, is_same=answer.content == body, is_known=False)
                body = answer.content or b""
                self._keep(path, read_header(answer, "etag"), body)
            elif answer.status_code == 304 and etag:
                self._count(etag, is_same=True, is_known=True)
                answer.success()
            else:
                answer.failure(describe(answer))
                return b""
        return body

    def _count(self, etag: str, *, is_same: bool, is_known: bool) -> None:
        facts = self.board.facts
        facts["asked"] += 1
        facts["conditional"] += bool(etag)
        facts["unchanged"] += bool(etag) and is_same
        facts["not_modified"] += is_known

    def _keep(self, path: str, etag: str, body: bytes) -> None:
        self._known[path] = (etag, body)
        self._known.move_to_end(path)
        if len(self._known) > KNOWN_MAX:
            self._known.popitem(last=False)


def prepare(users: int) -> list[type[Caller]]:
    """Return the classes, with their numbers of users."""
    Dashboard.fixed_count = users
    return [Dashboard]


def _choose_stream(page: bytes) -> dict[str, str]:
    """Return what is asked of one stream, named; nothing when there is none."""
    streams = [str(row["id"]) for row in orjson.loads(page or b'{"data":[]}')["data"]]
    if not streams:
        return {}
    weights = [(rank + 1) ** -POPULARITY for rank in range(len(streams))]
    chosen = quote(random.choices(streams, weights)[0], safe="")  # noqa: S311 - no secret.
    now_s = SystemClock().now_ms() // 1000
    start_s = (now_s - random.choice(RANGES_S)) // FIRST_S * FIRST_S  # noqa: S311 - no secret.
    root = f"/api/v1/streams/{chosen}"
    span = {"start": start_s}
    numbers = {**span, "resolution": "auto", "points": POINTS}
    return {
        "read: stream": root,
        "read: metrics": f"{root}/metrics?{urlencode(numbers)}",
        "read: channels": f"{root}/channels",
        "read: moments": f"{root}/moments?{urlencode({**span, 'limit': 200})}",
    }
