"""The simulator as a process of its own: its command line, its signals, its log."""

import signal
import subprocess
import sys

import orjson
import pytest

from core.settings import REPOSITORY
from tests.unit.simulator.scripted_apis import Reply, ScriptedApi


def start_process(*arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "streaming.simulator", *arguments],
        cwd=REPOSITORY,
        env={"LOG_LEVEL": "INFO", "LOG_FORMAT": "json"},
        stderr=subprocess.PIPE,
    )


def read_log(process: subprocess.Popen[bytes]) -> list[dict[str, object]]:
    _, stderr = process.communicate(timeout=60)
    return [orjson.loads(line) for line in stderr.splitlines()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly(number):
    with ScriptedApi() as api:
        process = start_process("--url", api.url, "--backfill", "1")
        assert api.wait_for_bodies(5)
        process.send_signal(number)
        log = read_log(process)
    assert process.returncode == 0
    assert log[-1]["event"] == "simulator_stopped"
    assert {line["process"] for line in log} == {"simulator"}


def test_a_signal_stops_it_while_the_api_is_away():
    with ScriptedApi([Reply(503, {"Retry-After": "300"})]) as api:
        process = start_process("--url", api.url, "--backfill", "0")
        assert api.wait_for_bodies(1)
        process.send_signal(signal.SIGTERM)
        log = read_log(process)
    assert process.returncode == 0
    assert log[-1]["event"] == "simulator_stopped"


def test_it_ends_after_its_duration():
    with ScriptedApi() as api:
        process = start_process("--url", api.url, "--backfill", "0", "--duration", "0.6")
        log = read_log(process)
    assert process.returncode == 0
    sent = sum(body.count(b"\n") + 1 for body in api.bodies)
    assert log[-1]["events"] == sent > 0


def test_the_key_is_sent_and_never_logged():
    with ScriptedApi([Reply(401)] * 99) as api:
        options = ("--backfill", "0", "--duration", "0.3", "--api-key", "tm_hidden")
        process = start_process("--url", api.url, *options)
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
    ],
)
def test_a_wrong_option_is_named(arguments):
    process = start_process(*arguments)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 2
    assert f"argument {arguments[0]}:".encode() in stderr
    assert b"Traceback" not in stderr
