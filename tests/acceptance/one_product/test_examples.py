"""Examples: what the README and the page about clients print works, against the whole product.

The Python client is made from the description and installed for it. What makes a key comes last,
of this module and of its folder.
"""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from core.settings import REPOSITORY
from infra.clients import PACKAGE, make_clients
from tests.fixtures.clients import open_client
from tests.fixtures.products import Product
from tests.fixtures.waiting import eventually

ADDRESS = "http://127.0.0.1:8000"

READ = """
import os

from telemetra_client import AuthenticatedClient
from telemetra_client.api.metrics import list_metrics
from telemetra_client.api.streams import list_streams
from telemetra_client.models import Problem

client = AuthenticatedClient(base_url=os.environ["URL"], token=os.environ["API_KEY"])
page = list_streams.sync(client=client)
rows = list_metrics.sync("studio", client=client, resolution="1m", limit=5)
counts = "no stream yet" if isinstance(rows, Problem) else [row.chat_count for row in rows.data]
print("studio" in [stream.id for stream in page.data], counts)
"""

REFUSED = """
import os

from telemetra_client import AuthenticatedClient
from telemetra_client.api.streams import list_streams
from telemetra_client.models import Problem

client = AuthenticatedClient(base_url=os.environ["URL"], token="tk_0123456789ab_wrong")
problem = list_streams.sync(client=client)
assert isinstance(problem, Problem)
print(problem.status, problem.type_)
"""


def _list_curls() -> list[list[str]]:
    """Return the words of every curl command in the README."""
    text = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
    return [shlex.split(block) for block in blocks if block.startswith("curl ")]


def read_example() -> str:
    """Return the program that the page about clients shows."""
    page = (REPOSITORY / "docs" / "clients.md").read_text(encoding="utf-8")
    return page.split("```python\n")[1].split("```")[0]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the client in it."""
    folder = tmp_path_factory.mktemp("clients")
    python = make_clients(folder)
    target = folder / "installed"
    uv = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--offline", "--no-deps"]
    where = ["--no-build-isolation", "--python", sys.executable, "--target", str(target)]
    subprocess.run([*uv, *where, str(python)], check=True)
    assert (target / PACKAGE / "py.typed").is_file()
    return target


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


async def test_a_client_sends_reads_and_is_told_what_is_wrong(
    installed: Path, product: Product
) -> None:
    made = product.run("keys", "create", "a client", "--scope", "read", "--scope", "ingest")
    key = made.stdout.decode().strip()
    url = product.url

    def run(program: str) -> str:
        done = subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONPATH": str(installed), "URL": url, "API_KEY": key},
            cwd=installed,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert run(read_example()).splitlines() == [
        "3 0",
        "404 There is no stream 'nobody'. Its first event makes it appear.",
    ]
    await eventually(lambda: run(READ), holds="True [1]".__eq__)
    assert run(REFUSED) == "401 urn:telemetra:problem:unauthorized"
