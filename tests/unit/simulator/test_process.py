"""The simulator as a process of its own: its command line, its signals, its log."""

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson
import pytest

from core.errors import InvalidError
from core.settings import REPOSITORY
from streaming.simulator.options import EXAMPLES, choose_span, read_options
from streaming.simulator.scenarios import SCENARIOS
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi

START = datetime(2026, 3, 4, 18, 0, tzinfo=UTC)


def start_process(data_dir: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "streaming.simulator", *arguments],
        cwd=REPOSITORY,
        env={"LOG_LEVEL": "INFO", "LOG_FORMAT": "json", "TELEMETRA_DATA_DIR": str(data_dir)},
        stderr=subprocess.PIPE,
    )


def read_log(process: subprocess.Popen[bytes]) -> list[dict[str, object]]:
    _, stderr = process.communicate(timeout=60)
    return [orjson.loads(line) for line in stderr.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(tmp_path, number):
    with ScriptedApi() as api:
        process = start_process(tmp_path, "--url", api.url, "--backfill", "1")
        assert api.wait_for_bodies(5)
        process.send_signal(number)
        log = read_log(process)
    assert process.returncode == 0
    assert log[-1]["event"] == "simulator_stopped"
    assert {line["process"] for line in log} == {"simulator"}


def test_a_signal_stops_it_while_the_api_is_away(tmp_path):
    with ScriptedApi([Reply(503, {"Retry-After": "300"})]) as api:
        process = start_process(tmp_path, "--url", api.url, "--backfill", "0")
        assert api.wait_for_bodies(1)
        process.send_signal(signal.SIGTERM)
        log = read_log(process)
    assert process.returncode == 0
    assert log[-1]["event"] == "simulator_stopped"


def test_it_ends_after_its_duration(tmp_path):
    with ScriptedApi() as api:
        process = start_process(tmp_path, "--url", api.url, "--backfill", "0", "--duration", "0.6")
        log = read_log(process)
    assert process.returncode == 0
    sent = sum(body.count(b"\n") + 1 for body in api.bodies)
    assert log[-1]["events"] == sent > 0


def test_the_key_is_sent_and_never_logged(tmp_path):
    with ScriptedApi([Reply(401)] * 99) as api:
        options = ("--backfill", "0", "--duration", "0.3", "--api-key", "tm_hidden")
        process = start_process(tmp_path, "--url", api.url, *options)
        _, stderr = process.communicate(timeout=60)
    assert api.requests[0].headers["Authorization"] == "Bearer tm_hidden"
    assert b"tm_hidden" not in stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("--streams", "0"),
        ("--rate", "none"),
        ("--rate", "nan"),
        ("--backfill", "-1"),
        ("--url", "127.0.0.1:8000"),
        ("--url", "http://me:secret@127.0.0.1"),
        ("--url", "http://127.0.0.1:99999"),
        ("--rate", "200001/s"),
        ("--rate", "100/s", "--streams", "200"),
        ("--scenario", "storm"),
        ("--speed", "60"),
        ("--speed", "0x"),
        ("--speed", "2x", "--out", "events.ndjson"),
        ("--minutes", "0"),
        ("--from", "yesterday"),
        ("--out", "events.csv"),
        ("--labels", "events.ndjson", "--out", "events.ndjson"),
        ("--backfill", "5", "--minutes", "5"),
        ("--duration", "5", "--speed", "60x"),
    ],
)
def test_a_wrong_option_is_named_in_one_line(arguments, capsys):
    with pytest.raises(SystemExit) as ended:
        read_options(arguments)
    assert ended.value.code == 2
    stderr = capsys.readouterr().err
    assert stderr.startswith(f"telemetra simulate: argument {arguments[0]}: ")
    assert stderr.count("\n") == 1


def test_a_scenario_that_is_none_is_told_which_there_are(capsys):
    with pytest.raises(SystemExit):
        read_options(("--scenario", "storm"))
    stderr = capsys.readouterr().err
    assert all(name in stderr for name in SCENARIOS)


def test_the_examples_of_the_help_are_read():
    lines = [line.split("  ")[0].split() for line in EXAMPLES.replace("\n  ", "\n").splitlines()]
    commands = [words[2:] for words in lines if words[:2] == ["telemetra", "simulate"]]
    assert len(commands) >= 4
    assert all(read_options(words).streams for words in commands)


def test_a_span_that_is_not_over_is_not_sent():
    options = read_options(("--from", "2026-03-04T17:30Z", "--minutes", "31"))
    with pytest.raises(InvalidError, match="2026-03-04T18:01Z"):
        choose_span(options, START)
    written = read_options(("--from", "2026-03-04T17:30Z", "--minutes", "31", "--out", "a.ndjson"))
    assert choose_span(written, START)[1] == int(START.timestamp() * 1000) + 60_000


def test_a_span_without_a_start_ends_with_the_last_whole_minute():
    now = START + timedelta(seconds=42)
    start_ms, end_ms = choose_span(read_options(("--minutes", "5")), now)
    assert end_ms == int(START.timestamp() * 1000)
    assert end_ms - start_ms == 300_000


def test_a_span_is_sent_and_labelled(tmp_path):
    labels = tmp_path / "truth.ndjson"
    with ScriptedApi() as api:
        options = ("--minutes", "12", "--scenario", "outage", "--labels", str(labels))
        process = start_process(tmp_path, "--url", api.url, *options)
        log = read_log(process)
    assert process.returncode == 0
    assert log[-1]["events"] == sum(body.count(b"\n") + 1 for body in api.bodies) > 1000
    assert {orjson.loads(line)["scenario"] for line in labels.read_bytes().splitlines()} == {
        "outage"
    }


def test_the_labels_of_a_demo_lie_below_the_data_folder(tmp_path):
    with ScriptedApi() as api:
        options = ("--backfill", "20", "--duration", "0.3")
        process = start_process(tmp_path, "--url", api.url, *options)
        read_log(process)
    assert (tmp_path / "labels" / "raid-seed-7.labels.ndjson").read_bytes()


def test_a_demo_goes_on_where_no_labels_can_be_written(tmp_path):
    (tmp_path / "labels").touch()
    with ScriptedApi() as api:
        options = ("--backfill", "0", "--duration", "0.3")
        log = read_log(start_process(tmp_path, "--url", api.url, *options))
    assert "labels_not_written" in [line["event"] for line in log]
    assert log[-1]["event"] == "simulator_stopped"
