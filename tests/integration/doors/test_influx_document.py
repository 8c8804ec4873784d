"""What docs/doors.md tells users to paste works as it stands there."""

import asyncio
import re
import sys
import tomllib
from typing import Final

import asyncpg

from core.settings import REPOSITORY
from tests.fixtures.api_keys import make_key, wait_until_known
from tests.fixtures.flows import Flow

PAGE: Final = (REPOSITORY / "docs" / "doors.md").read_text(encoding="utf-8")
SECTION: Final = PAGE.partition("\n## InfluxDB line protocol\n")[2].partition("\n## ")[0]


def find_blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", SECTION, re.DOTALL)


async def test_the_program_and_the_command_of_the_page_send_a_reading_each(
    served: str, flow: Flow, connection: asyncpg.Connection
):
    _, headers = await make_key(connection, "ingest")
    key = headers["Authorization"].removeprefix("Bearer ")
    await asyncio.to_thread(wait_until_known, f"http://{served}", key)
    (program,), (command,) = find_blocks("python"), find_blocks("sh")
    for argv in ([sys.executable, "-c", program], ["sh", "-c", f"{command.strip()} --fail"]):
        process = await asyncio.create_subprocess_exec(
            *argv, env={"URL": f"http://{served}", "API_KEY": key, "PATH": "/usr/bin:/bin"}
        )
        assert await process.wait() == 0
    assert await flow.pump() == 3
    rows = await connection.fetch("SELECT stream_id, channel, value, unit FROM readings")
    assert sorted(map(tuple, rows)) == [
        ("bench-07", "oven.cell_3", 41.2, "°C"),
        ("bench-07", "oven.cell_3", 41.2, "°C"),
        ("bench-07", "oven.closed", 1.0, "°C"),
    ]


def test_the_files_for_telegraf_can_be_read() -> None:
    outputs = [tomllib.loads(block)["outputs"] for block in find_blocks("toml")]
    assert [list(output) for output in outputs] == [["influxdb_v2"], ["influxdb"]]
