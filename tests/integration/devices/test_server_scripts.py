"""``telemetra device run --server``: the server runs it, and the terminal only looks."""

import asyncio
import signal
from pathlib import Path

import orjson
import pytest

from core.settings import Settings
from tests.fixtures.waiting import eventually
from tests.integration.devices.test_device_commands import (
    SCRIPT,
    Oven,
    begin,
    call,
    finish,
    oven,
)
from tests.integration.jobs.conftest import working

__all__ = ["oven"]

WAIT = "name: wait\nsteps:\n  - command: wait\n  - pause: 1\n"


@pytest.mark.usefixtures("oven")
async def test_a_script_of_the_server_is_shown_step_by_step(
    served: str, settings: Settings, tmp_path: Path
) -> None:
    path = tmp_path / "warm.yaml"
    path.write_text(SCRIPT)
    async with working(settings):
        code, out, err = await call(served, "run", str(path), "--device", "oven_1", "--server")
    assert (code, err) == (0, "")
    steps = out.splitlines()
    assert [line.split("  ")[0] for line in steps] == ["1/3", "2/3", "3/3"]
    assert "heat celsius=80  succeeded" in steps[0]
    assert "temperature is 80" in steps[1]


async def test_a_script_that_is_left_behind_is_listed_and_aborted(
    served: str, settings: Settings, oven: Oven, tmp_path: Path
) -> None:
    path = tmp_path / "wait.yaml"
    path.write_text(WAIT)
    code, out, _ = await call(served, "run", str(path), "--device", "oven_1", "--detach")
    run_id = out.strip()
    assert (code, run_id.startswith("run_")) == (0, True)
    code, _, err = await call(served, "run", str(path), "--device", "oven_1", "--detach")
    assert (code, run_id in err) == (1, True)
    async with working(settings):
        await asyncio.wait_for(oven.begun.wait(), 60)
        code, out, _ = await call(served, "abort", "oven_1", run_id)
        assert (code, out.split()[0]) == (0, run_id)
        await eventually(lambda: oven.cancelled == ["wait"])

        async def read() -> str:
            (row,) = orjson.loads((await call(served, "scripts", "oven_1", "--json"))[1])
            state: str = row["state"]
            return state

        await eventually(read, holds=lambda state: state == "aborted", within_s=60)
    (line,) = (await call(served, "scripts", "oven_1"))[1].splitlines()
    assert line.endswith("aborted: Aborted by everyone.")


async def test_ctrl_c_aborts_what_the_server_runs(
    served: str, settings: Settings, oven: Oven, tmp_path: Path
) -> None:
    path = tmp_path / "wait.yaml"
    path.write_text(WAIT)
    async with working(settings):
        process = begin(served, "run", str(path), "--device", "oven_1", "--server", "--json")
        await asyncio.wait_for(oven.begun.wait(), 60)
        process.send_signal(signal.SIGINT)
        code, out, _ = await finish(process)
    (told,) = [orjson.loads(line) for line in out.splitlines()]
    assert (code, told["step"], told["state"]) == (130, 1, "aborted")
    assert oven.cancelled == ["wait"]
