"""The product that these modules share, each with streams, times and devices of its own."""

from collections.abc import Iterator

import pytest

from tests.fixtures.products import Product, run_product


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product without its demo; it asks for no key until the last of all tests makes one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARCHIVE_INTERVAL_SECONDS", "1")
        folder = tmp_path_factory.mktemp("a folder with spaces")
        with run_product(folder, "--no-demo", "--no-page") as running:
            yield running
