"""The demo that modules of pages share: each names streams of its own where it writes."""

from collections.abc import Iterator

import pytest

from tests.fixtures.browsers import find_chromium
from tests.fixtures.products import Product, run_product


@pytest.fixture(scope="package")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product with its demo, until the last page was looked at."""
    find_chromium()
    with run_product(tmp_path_factory.mktemp("demo")) as running:
        yield running
