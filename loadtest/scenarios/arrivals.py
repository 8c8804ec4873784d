"""Arrivals: what of all that was sent is stored, read over HTTP like everybody else does.

before the run: streams exist, and have so many messages
after it:       wait until they have as many more as were acknowledged, then compare
"""

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Final, TypeAlias
from urllib.parse import urlencode

import gevent
import orjson

from core.clock import SystemClock
from loadtest.scenarios.boards import Board
from loadtest.scenarios.callers import ATTEMPTS_MAX, choose_wait_s
from loadtest.scenarios.sequences import MinuteKey, read_time
from streaming.ingest.clients import Answer, ApiAwayError, ApiClient

SETTLE_S_MAX: Final = 30.0
"""How long what was acknowledged may take to be stored, and watchers to hear of it."""

QUIET_S: Final = 2.5
"""Running minutes are told at least once a second: this long without news, all is told."""

POLL_S: Final = 0.3
KNOWN_S_MAX: Final = 30.0

EARLIER: Final = timedelta(minutes=2)
"""Minutes before the run that it may still change."""

Counts: TypeAlias = dict[MinuteKey, int]


class ArrivalsError(Exception):
    """The product did not do what a run needs; the text says what."""


class Arrivals:
    """Reads what is stored."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._since = SystemClock().now() - EARLIER
        self._before: Counts = {}

    def begin(self, streams: Sequence[str]) -> None:
        """Make all streams known, and remember what they have.

        Raises:
            ArrivalsError: A stream does not appear.
        """
        hello = [{"stream_id": stream, "type": "viewers", "value": 1} for stream in streams]
        json = {"Content-Type": "application/json"}
        self._client.request("POST", "/api/v1/ingest", orjson.dumps(hello), json)
        until = time.monotonic() + KNOWN_S_MAX
        missing = set(streams)
        while missing := {stream for stream in missing if not self._read(stream)}:
            if time.monotonic() > until:
                raise ArrivalsError(
                    f"What was sent is not stored after {KNOWN_S_MAX:g} s: does the flow run?"
                )
            gevent.sleep(POLL_S)
        self._before = self._read_all(streams)

    def settle(self, board: Board, streams: Sequence[str]) -> Counts:
        """Wait until everything acknowledged is stored and told, and return what is stored."""
        until = time.monotonic() + SETTLE_S_MAX
        while time.monotonic() < until:
            new = self._count_new(self._read_all(streams))
            if _is_calm(board) and new >= board.acknowledged.total():
                break
            gevent.sleep(POLL_S)
        stored = self._read_all(streams)
        self._note_counts(board, stored)
        return stored

    def judge_watches(self, board: Board, stored: Counts) -> None:
        """Hold what watchers know against what they should."""
        for watch in board.watches:
            watch.close()
            wanted, right = watch.compare_views(stored)
            board.facts.update(
                {
                    "gaps": watch.gaps,
                    "expected": watch.count_expected(),
                    "delivered": watch.count_delivered(),
                    "views": wanted,
                    "views_current": right,
                    "resumes": watch.resumes,
                    "resumed": watch.resumed,
                }
            )

    def _note_counts(self, board: Board, stored: Counts) -> None:
        acknowledged, unsure = board.acknowledged.total(), board.unsure.total()
        new = self._count_new(stored)
        # Of what is unsure any part may be there; only what is beyond that counts as too much.
        board.facts["acknowledged"] = acknowledged
        board.facts["unsure"] = unsure
        board.facts["stored"] = new if new < acknowledged else max(new - unsure, acknowledged)

    def _count_new(self, stored: Counts) -> int:
        return sum(stored.values()) - sum(self._before.values())

    def _read_all(self, streams: Sequence[str]) -> Counts:
        return {key: count for stream in streams for key, count in self._read(stream).items()}

    def _read(self, stream: str) -> Counts:
        """Return the messages of each minute, nothing when the stream is not known."""
        query = {"start": self._since.isoformat(), "resolution": "1m", "limit": 1000}
        answer = self._ask(f"/api/v1/streams/{stream}/metrics?{urlencode(query)}")
        # A stream that nobody sent to yet answers 404.
        rows = orjson.loads(answer.body)["data"] if answer and answer.is_success else []
        return {(stream, read_time(row["window_start"])): int(row["chat_count"]) for row in rows}

    def _ask(self, path: str) -> Answer | None:
        """Return the final answer, None when there is none: what was refused is asked again."""
        for _ in range(ATTEMPTS_MAX):
            try:
                answer = self._client.request("GET", path, None, {})
            except ApiAwayError:
                return None
            if answer.is_final:
                return answer
            gevent.sleep(choose_wait_s(answer.retry_after or ""))
        return None


def _is_calm(board: Board) -> bool:
    """Whether nothing is under way, and all watchers are there and have heard all."""
    if board.busy or board.away:
        return False
    return not board.watches or time.monotonic() - board.heard_s > QUIET_S
