"""The Python client: made from the description, installed, and used against the whole product."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import REPOSITORY
from infra.clients import PACKAGE, make_clients
from tests.fixtures.products import Product, run_product
from tests.fixtures.waiting import eventually

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
print([stream.id for stream in page.data], counts)
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


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    data_dir = tmp_path_factory.mktemp("product")
    with run_product(data_dir, "--no-demo", "--no-page") as running:
        yield running


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
    await eventually(lambda: run(READ), holds="['studio'] [1]".__eq__)
    assert run(REFUSED) == "401 urn:telemetra:problem:unauthorized"
