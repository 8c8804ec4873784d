"""The product that these modules share, each with streams, times and devices of its own.

Who watches it finds the processes' metrics at ports that are known, and may read the database.
"""

from collections.abc import Iterator
from typing import Final

import pytest

from infra.services.ports import choose_port
from tests.fixtures.products import Product, run_product

PASSWORD: Final = "for-reading-0123"
METRICS_PORTS: Final = {
    "flow": "FLOW_METRICS_PORT",
    "archive": "ARCHIVE_METRICS_PORT",
    "alerts": "ALERTS_METRICS_PORT",
}


@pytest.fixture(scope="package")
def metrics_ports() -> dict[str, int]:
    """Where each process tells its metrics."""
    return {job: choose_port() for job in METRICS_PORTS}


@pytest.fixture(scope="package")
def product(
    metrics_ports: dict[str, int], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Product]:
    """A product without its demo; it asks for no key until the last of all tests makes one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHIVE_INTERVAL_SECONDS", "1")
        patch.setenv("READER_PASSWORD", PASSWORD)
        for job, setting in METRICS_PORTS.items():
            patch.setenv(setting, str(metrics_ports[job]))
        folder = tmp_path_factory.mktemp("a folder with spaces")
        with run_product(folder, "--no-demo", "--no-page") as running:
            yield running
