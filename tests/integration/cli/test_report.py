"""``telemetra report``: a page in a file, or for programs on stdout."""

from datetime import datetime, timedelta
from pathlib import Path

import orjson
import pytest

from tests.fixtures.events import STREAM, chat
from tests.integration.api.sockets import Post
from tests.integration.cli.conftest import Run


@pytest.fixture
async def filled(post: Post, minute: datetime) -> None:
    """A few messages some minutes ago."""
    await post(*(chat(minute - timedelta(minutes=back)) for back in (9, 5, 5, 1)))


async def test_a_page_is_written_into_the_file(run: Run, filled: None, tmp_path: Path):
    del filled
    file = tmp_path / "a page.html"
    done = await run("report", STREAM, "--from", "30m", "--output", str(file))
    assert (done.code, done.err, done.out) == (0, "", f"Written: {file}\n")
    page = file.read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>")
    assert STREAM in page


async def test_without_a_file_it_is_named_after_the_stream(
    run: Run, filled: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    del filled
    monkeypatch.chdir(tmp_path)
    assert (await run("report", STREAM)).out == f"Written: report-{STREAM}.html\n"
    assert (tmp_path / f"report-{STREAM}.html").exists()


async def test_what_stands_on_it_goes_into_a_pipe_for_programs(
    run: Run, filled: None, minute: datetime
):
    del filled
    start, end = (minute - timedelta(minutes=back) for back in (6, 2))
    period = ("--from", start.isoformat(), "--to", end.isoformat())
    told = orjson.loads((await run("report", STREAM, *period, "--json")).out)
    assert told["totals"]["messages"] == 2
    assert told["totals_before"]["messages"] == 1


async def test_what_cannot_be_is_refused_in_one_line(run: Run, filled: None, tmp_path: Path):
    del filled
    nowhere = str(tmp_path / "no" / "folder.html")
    for words, part in (
        (("--output", nowhere), "cannot be written"),
        (("--from", "soon"), "neither a span"),
        (("--from", "1h", "--to", "2h"), "end lies before start"),
        (("--from", "9999d"), "366 days at most"),
    ):
        done = await run("report", STREAM, *words)
        assert (done.code, done.out) == (1, "")
        assert part in done.err
        assert done.err.count("\n") == 1
