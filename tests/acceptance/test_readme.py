"""The README: its examples work as they are printed."""

import re
import shlex
from collections.abc import Iterator

import orjson
import pytest

from core.settings import REPOSITORY
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product, run_product
from tests.fixtures.waiting import eventually

ADDRESS = "http://127.0.0.1:8000"


def _list_curls() -> list[list[str]]:
    """Return the words of every curl command in the README."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [shlex.split(block) for block in blocks if block.startswith("curl ")]


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    folder = tmp_path_factory.mktemp("readme")
    with run_product(folder, "--no-demo", "--no-page") as running:
        yield running


async def test_what_the_readme_sends_is_taken_and_read_back(product: Product) -> None:
    send, read = _list_curls()
    url = product.url
    media_type = send[send.index("-H") + 1].partition(": ")[2]
    body = send[send.index("-d") + 1]
    async with open_client() as client:
        answer = await client.post(
            send[1].replace(ADDRESS, url),
            content=body.encode(),
            headers={"Content-Type": media_type},
        )
        assert answer.status_code == 202
        assert answer.json() == {"accepted": len(orjson.loads(body)), "rejected": 0, "errors": []}

        async def read_rows() -> list[dict[str, object]]:
            rows = (await client.get(read[1].replace(ADDRESS, url))).json()
            return list(rows.get("data", ()))

        rows = await eventually(read_rows)
    assert rows[0]["chat_count"] == 1
    assert rows[0]["top_emotes"] == [{"emote": "PogChamp", "count": 1}]
    assert rows[0]["peak_viewers"] == 48_200


async def test_the_routes_that_the_readme_names_exist(product: Product) -> None:
    url = product.url
    async with open_client(url) as client:
        for path in ("/docs", "/redoc", "/openapi.json", "/metrics", "/health", "/readyz"):
            assert (await client.get(path)).status_code == 200, path
