"""Bad use of a load run: one clear line and an exit code, and no run."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from core.settings import REPOSITORY
from infra.supervisor.environments import extend_environment
from loadtest.load.findings import SCENARIOS
from loadtest.load.meters import Meter, sum_up
from loadtest.load.options import read_options
from loadtest.load.targets import describe_refusal
from streaming.ingest.clients import Answer
from tests.fixtures.waiting import eventually

BOTH = ("senders", "readers")


def _load(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "loadtest.load", *arguments],
        cwd=REPOSITORY,
        env=extend_environment({"TELEMETRA_DATA_DIR": str(data_dir)}),
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_scenarios_are_run_when_all_is_asked_for() -> None:
    options = read_options(["all", "--users", "9", "--rate", "50", "--time", "5"])
    assert options.scenarios == SCENARIOS
    assert (options.name, options.users, options.rate, options.seconds) == ("all", 9, 50.0, 5.0)
    assert read_options(["readers"]).name == "readers"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["riders"], "invalid choice: 'riders'"),
        ([], "required: scenario"),
        (["senders", "--users", "2"], "not a whole number 3 to"),
        (["senders", "--users", "many"], "not a whole number 3 to"),
        (["senders", "--rate", "0"], "not a number 1 to"),
        (["senders", "--rate", "nan"], "not a number 1 to"),
        (["senders", "--time", "1"], "not a number 3 to"),
        (["senders", "--url", "localhost:8000"], "not an address"),
        (["senders", "--url", "http://me:secret@host"], "not an address"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_right(
    arguments: list[str], words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.startswith("load: ")
    assert said.count("\n") == 1


def test_nothing_is_loaded_when_nothing_runs(tmp_path: Path) -> None:
    done = _load(tmp_path, "senders")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(f"load: Nothing runs for {tmp_path}. Start it with `make up")


def test_an_address_where_nobody_answers_is_told_at_once(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        done = _load(tmp_path, "readers", "--url", url)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"load: {url} does not answer (ConnectionRefusedError" in done.stderr


def test_budgets_that_cannot_be_read_stop_the_run_before_it_begins(tmp_path: Path) -> None:
    done = _load(tmp_path, "readers", "--budgets", str(tmp_path / "away.toml"))
    assert done.returncode == 2
    assert "away.toml" in done.stderr


@pytest.mark.parametrize(
    ("status", "key", "words"),
    [
        (401, None, "it asks for a key. Give one with API_KEY=tk_…; senders need ingest and read"),
        (401, "tk_old", "API_KEY is no good key"),
        (403, "tk_narrow", "does not allow this; senders need ingest and read"),
        (429, None, "it refuses more requests for now (429): Wait. Load needs RATE_LIMIT"),
        (503, None, "it answered 503: Wait."),
    ],
)
def test_a_refusal_says_what_to_do(status: int, key: str | None, words: str) -> None:
    refusal = describe_refusal(Answer(status, b'{"detail":"Wait."}'), key, BOTH)
    assert refusal is not None
    assert words in refusal
    assert key is None or key not in refusal


def test_an_answer_that_is_no_problem_document_is_quoted_on_one_line() -> None:
    assert describe_refusal(Answer(502, b"<h1>Bad\nGateway"), None, BOTH) == (
        "it answered 502: <h1>Bad Gateway"
    )
    assert describe_refusal(Answer(202, b"{}"), None, BOTH) is None


async def test_a_meter_counts_what_the_children_of_a_process_use() -> None:
    busy = "while True: pass"
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    with run_until_left([sys.executable, "-c", parent]) as process, Meter() as meter:
        # Once its child is there, the parent itself does nothing but wait.
        await eventually(lambda: psutil.Process(process.pid).children())
        meter.add("parent of a busy child", process.pid)
        meter.add("nobody", 2**22 + 1)
        await eventually(lambda: [one for one in meter.samples if one.cores > 0])
    usages = sum_up(meter.samples, 0.0, float("inf"))
    assert [usage.name for usage in usages] == ["parent of a busy child"]
    assert usages[0].most > 0


@contextmanager
def run_until_left(argv: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process, and end it with all that it started."""
    with subprocess.Popen(argv) as process:
        try:
            yield process
        finally:
            for child in psutil.Process(process.pid).children(recursive=True):
                child.kill()
            process.kill()
