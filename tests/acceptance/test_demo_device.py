"""The device of the demo: `telemetra up` runs it, the command line commands it, `down` stops it."""

from collections.abc import Iterator

import orjson
import psutil
import pytest

from tests.fixtures.clients import open_client
from tests.fixtures.products import Product, run_product
from tests.fixtures.waiting import eventually

DEVICE = "climate_1"


@pytest.fixture
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    with run_product(tmp_path_factory.mktemp("demo"), "--no-page") as running:
        yield running
        assert running.run("down").returncode == 0


async def test_it_is_there_and_does_as_it_is_told(demo: Product) -> None:
    url = demo.status()["api_url"]
    async with open_client(url) as client:

        async def find_link() -> str | None:
            answer = await client.get(f"/api/v1/devices/{DEVICE}")
            return answer.json().get("link") if answer.is_success else None

        await eventually(find_link, holds=lambda link: link == "connected")
        done = demo.run("device", "send", DEVICE, "set_update_interval", "interval=0.5")
        assert (done.returncode, done.stderr) == (0, b"")
        done = demo.run("device", "send", DEVICE, "get_status", "--json")
        assert orjson.loads(done.stdout)["details"]["interval_s"] == 0.5

        async def list_channels() -> set[str]:
            answer = await client.get(f"/api/v1/streams/{DEVICE}/channels")
            return {row["channel"] for row in answer.json().get("data", ())}

        # Its numbers are readings of a stream, like every other reading.
        await eventually(list_channels, holds=lambda found: "humidity" in found)
    process = psutil.Process(demo.find_process("device")["pid"])
    assert demo.run("down").returncode == 0
    assert not process.is_running()
