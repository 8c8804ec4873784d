"""The device of the demo: `telemetra up` runs it, and the command line commands it.

That `down` stops it is seen where the demo ends: `tests/fixtures/products.py`.
"""

import orjson

from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

DEVICE = "climate_1"
INTERVAL_S = 1.5
"""Not the usual one; those who look at the demo afterwards see a few more values."""


async def test_it_is_there_and_does_as_it_is_told(demo: Product) -> None:
    async with open_client(demo.url, timeout=30) as client:

        async def find_link() -> str | None:
            answer = await client.get(f"/api/v1/devices/{DEVICE}")
            return answer.json().get("link") if answer.is_success else None

        await eventually(find_link, holds=lambda link: link == "connected")
        assert demo.find_process("device")["state"] == "ready"
        done = demo.run("device", "send", DEVICE, "set_update_interval", f"interval={INTERVAL_S}")
        assert (done.returncode, done.stderr) == (0, b"")
        done = demo.run("device", "send", DEVICE, "get_status", "--json")
        assert orjson.loads(done.stdout)["details"]["interval_s"] == INTERVAL_S

        async def list_channels() -> set[str]:
            answer = await client.get(f"/api/v1/streams/{DEVICE}/channels")
            return {row["channel"] for row in answer.json().get("data", ())}

        # Its numbers are readings of a stream, like every other reading.
        await eventually(list_channels, holds=lambda found: "humidity" in found)
