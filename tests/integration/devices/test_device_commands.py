"""``telemetra device …`` as a process, against the API and a device of the SDK."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from core.settings import REPOSITORY
from streaming.devices.sdk import Device
from tests.fixtures.commands import run_command
from tests.fixtures.waiting import eventually

SCRIPT = """\
steps:
  - command: heat
    parameters: {celsius: 80}
  - wait: {telemetry: temperature, is: ">=", value: 80, within_seconds: 20}
  - pause: 0.2
"""


class Oven:
    """A device whose temperature is what it was told last."""

    def __init__(self, address: str) -> None:
        self.device = device = Device("oven_1", url=f"http://{address}", title="Oven 1")
        self.cancelled: list[str] = []
        self.begun = asyncio.Event()
        device.telemetry("temperature", "°C", "float", min=0, max=300)

        @device.command("heat", parameters={"celsius": {"min": 20, "max": 250}})
        async def heat(celsius: float, label: str = "") -> str:
            """Heat it."""
            await device.send("temperature", celsius)
            return f"at {celsius}{label}"

        @device.command("wait")
        async def wait() -> None:
            self.begun.set()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                self.cancelled.append("wait")
                raise

        @device.command("burn", dangerous=True)
        async def burn() -> None:
            message = "on fire"
            raise RuntimeError(message)


@pytest.fixture
async def oven(served: str) -> AsyncIterator[Oven]:
    made = Oven(served)
    serving = asyncio.create_task(made.device.serve())
    await asyncio.wait_for(made.device.connected.wait(), 30)
    yield made
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)


def begin(address: str, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "infra.cli", "device", *arguments]
    return subprocess.Popen(
        [*command, "--url", f"http://{address}"],
        cwd=REPOSITORY,
        env={"PATH": os.defpath, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


async def finish(process: subprocess.Popen[bytes]) -> tuple[int, str, str]:
    out, err = await asyncio.to_thread(process.communicate, timeout=100)
    return process.returncode, out.decode(), err.decode()


async def call(address: str, *arguments: str) -> tuple[int, str, str]:
    told = (*arguments, "--url", f"http://{address}")
    environment = {"PATH": os.defpath}
    done = await asyncio.to_thread(
        run_command, "infra.cli", "device", *told, environment=environment
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.usefixtures("oven")
async def test_devices_are_listed_and_shown(served: str) -> None:
    code, out, _ = await call(served, "list", "--json")
    (row,) = orjson.loads(out)
    assert (code, row["device_id"], row["link"]) == (0, "oven_1", "connected")
    assert "oven_1" in (await call(served, "list"))[1]
    code, out, _ = await call(served, "show", "oven_1")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "oven_1  Oven 1  connected"
    assert "  temperature  float  0 to 300  °C" in lines
    assert "      celsius  float  20 to 250" in lines
    assert "  burn (dangerous)" in lines


@pytest.mark.usefixtures("oven")
async def test_a_command_is_sent_and_its_end_told(served: str) -> None:
    code, out, _ = await call(served, "send", "oven_1", "heat", "celsius=80", "label=1")
    assert code == 0
    assert out.strip().endswith("succeeded: at 801")
    code, _, err = await call(served, "send", "oven_1", "heat", "celsius=8000")
    assert code == 1
    assert err.count("\n") == 1
    assert "8000" in err
    code, _, err = await call(served, "send", "oven_1", "heat", "celsius")
    assert (code, "name=value" in err) == (1, True)
    code, _, err = await call(served, "send", "nobody", "heat")
    assert (code, "no device 'nobody'" in err) == (1, True)


@pytest.mark.usefixtures("oven")
async def test_a_dangerous_command_wants_a_word_more(served: str) -> None:
    code, _, err = await call(served, "send", "oven_1", "burn")
    assert (code, "--yes" in err) == (1, True)
    code, out, _ = await call(served, "send", "oven_1", "burn", "--yes")
    assert code == 1
    assert out.strip().endswith("failed: on fire")


async def test_ctrl_c_cancels_what_was_sent(served: str, oven: Oven) -> None:
    process = begin(served, "send", "oven_1", "wait")
    await asyncio.wait_for(oven.begun.wait(), 60)
    process.send_signal(signal.SIGINT)
    code, _, err = await finish(process)
    assert code == 130
    assert "cancelled" in err
    await eventually(lambda: oven.cancelled == ["wait"])


async def test_the_log_is_printed_oldest_first(served: str, oven: Oven) -> None:
    for value in (20.5, 21.5):
        await oven.device.send("temperature", value)

    async def read() -> list[str]:
        return (await call(served, "history", "oven_1", "--type", "data"))[1].splitlines()

    lines = await eventually(read, holds=lambda found: len(found) == 2)
    assert [line.split("\t")[1:] for line in lines] == [
        ["temperature", "20.5"],
        ["temperature", "21.5"],
    ]


async def test_a_watch_prints_what_happens(served: str, oven: Oven) -> None:
    process = begin(served, "watch", "oven_1", "--json")
    assert process.stdout is not None
    first = orjson.loads(await asyncio.to_thread(process.stdout.readline))
    assert first["type"] == "connected"
    await oven.device.send("temperature", 42.0)
    told = first
    while told["type"] != "data":
        told = orjson.loads(await asyncio.to_thread(process.stdout.readline))
    assert (told["id"], told["value"]) == ("temperature", 42.0)
    process.send_signal(signal.SIGINT)
    assert (await finish(process))[0] == 130


@pytest.mark.usefixtures("oven")
async def test_a_script_is_run_step_by_step(served: str, tmp_path: Path) -> None:
    path = tmp_path / "warm.yaml"
    path.write_text(SCRIPT)
    code, out, err = await call(served, "run", str(path), "--device", "oven_1")
    assert (code, err) == (0, "")
    steps = out.splitlines()
    assert [line.split("  ")[0] for line in steps] == ["1/3", "2/3", "3/3"]
    assert "heat celsius=80  succeeded" in steps[0]
    assert "temperature is 80" in steps[1]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (SCRIPT.replace("heat", "melt"), "line 2: no command 'melt'"),
        (SCRIPT.replace("80}", "800}", 1), "line 2: parameters.celsius"),
        (SCRIPT.replace("pause: 0.2", "pause: soon"), "line 5: pause is a number"),
        ("steps: [", "line 1"),
    ],
)
@pytest.mark.usefixtures("oven")
async def test_a_script_that_cannot_run_sends_nothing(
    served: str, tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "wrong.yaml"
    path.write_text(text)
    code, out, err = await call(served, "run", str(path), "--device", "oven_1")
    assert (code, out) == (1, "")
    assert reason in err
    assert err.count("\n") == 1


async def test_a_script_that_is_stopped_cancels_its_command(
    served: str, oven: Oven, tmp_path: Path
) -> None:
    path = tmp_path / "wait.yaml"
    path.write_text("steps:\n  - command: wait\n  - command: heat\n    parameters: {celsius: 30}\n")
    process = begin(served, "run", str(path), "--device", "oven_1", "--json")
    await asyncio.wait_for(oven.begun.wait(), 60)
    process.send_signal(signal.SIGINT)
    code, out, _ = await finish(process)
    (told,) = [orjson.loads(line) for line in out.splitlines()]
    assert code == 130
    assert (told["step"], told["state"]) == (1, "aborted")
    await eventually(lambda: oven.cancelled == ["wait"])


@pytest.mark.usefixtures("oven")
async def test_a_step_that_fails_ends_a_script(served: str, tmp_path: Path) -> None:
    path = tmp_path / "late.yaml"
    late = "wait: {telemetry: temperature, is: '>', value: 290, within_seconds: 0.3}"
    path.write_text(f"steps:\n  - {late}\n    on_failure: continue\n  - {late}\n  - pause: 1\n")
    code, out, _ = await call(served, "run", str(path), "--device", "oven_1")
    assert code == 1
    assert [line.split("  ")[2].split()[0] for line in out.splitlines()] == ["failed", "failed"]
