"""Runs against a scripted API: where they go on, and with what."""

import io
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import polars as pl
import pytest
from rich.console import Console

from core.errors import InvalidError
from core.layouts import Wishes
from core.paces import NoPace, RatePace
from streaming.connectors.files.bodies import Cut, Window
from streaming.connectors.files.bookmarks import BookmarkStore
from streaming.connectors.files.couriers import BodyRefusedError, Courier
from streaming.connectors.files.displays import Display
from streaming.connectors.files.runs import Plan, Run, Tools, open_reader, read_ahead
from streaming.connectors.files.sources import find_sources
from streaming.ingest.clients import ApiClient
from streaming.ingest.senders import Sender
from tests.unit.files.tables import write_file
from tests.unit.files.test_couriers import receipt
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi
from tests.unit.simulator.sleepers import Sleeper


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of one event a minute."""
    rows = "".join(f"2026-02-01T{n // 60:02}:{n % 60:02}:00Z,{n}\n" for n in range(600))
    return write_file(tmp_path, "a.csv", b"time,value\n" + rows.encode())


def take_all(count: int) -> list[Reply]:
    return [receipt(1, 0, [])] * count


class Runner:
    """Runs a file once for each call, as the same command would."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.sleeper = Sleeper()
        self.told = io.StringIO()

    def run(
        self, replies: list[Reply], events_max: int, *, pace: bool = False, **more: bool
    ) -> ScriptedApi:
        folder = self._path.parent / "bookmarks"
        plan = Plan(
            Cut(events_max),
            restart=more.get("restart", False),
            rejects=None,
            rejects_dir=folder,
            shifts=False,
            speed=None,
            lateness=timedelta(minutes=5),
        )
        with ScriptedApi(replies) as api:
            client, window = ApiClient(api.url), Window()
            sender = Sender(client, self.sleeper.clock, self.sleeper.sleep)
            tools = Tools(
                self.sleeper.clock,
                Courier(sender, self.sleeper.clock, window),
                window,
                BookmarkStore(folder, "home"),
                Display(Console(file=self.told), total_bytes=1000, is_quiet=False),
                RatePace(100) if pace else NoPace(),
                self.sleeper.sleep,
            )
            source = find_sources([str(self._path)], None)[0]
            try:
                Run(plan, tools).send([(source, open_reader(source, Wishes()))])
            except BodyRefusedError:
                pass
            finally:
                client.close()
        return api


def list_rows(api: ScriptedApi) -> list[int]:
    events = pl.concat(map(read_events, api.bodies))
    return events["id"].str.extract("-([0-9]+)$").cast(pl.Int64).to_list()


def read_events(body: bytes) -> pl.DataFrame:
    return pl.read_ipc_stream(io.BytesIO(body))


def test_what_was_under_way_is_the_same_body_again_whatever_is_wished_now(path):
    runner = Runner(path)
    first = runner.run([*take_all(1), Reply(401)], 100)
    assert [read_events(body).height for body in first.bodies] == [100, 100]
    second = runner.run(take_all(9), 250)
    assert second.bodies[0] == first.bodies[1]
    assert second.keys[0] == first.keys[1]
    assert list_rows(second) == list(range(101, 601))


def test_a_finished_file_is_not_sent_again_but_begun_anew_under_other_keys(path):
    runner = Runner(path)
    first = runner.run(take_all(6), 100)
    assert list_rows(first) == list(range(1, 601))
    assert runner.run([], 100).bodies == []
    again = runner.run(take_all(6), 100, restart=True)
    assert again.bodies == first.bodies
    assert not set(again.keys) & set(first.keys)


def test_a_pace_waits_before_each_body(path):
    runner = Runner(path)
    runner.run(take_all(6), 100, pace=True)
    # Little real time passes here, and the waits are for a clock that does not stand still.
    assert len(runner.sleeper.pauses_s) == 5
    assert sum(runner.sleeper.pauses_s) > 5


def test_items_are_made_ahead_and_end_with_their_error():
    is_ahead = Event()

    def make() -> Iterator[int]:
        yield 0
        is_ahead.set()
        yield 1
        raise InvalidError("broken")

    items = read_ahead(make(), 2)
    assert next(items) == 0
    assert is_ahead.wait(60)
    assert next(items) == 1
    with pytest.raises(InvalidError, match="broken"):
        next(items)
