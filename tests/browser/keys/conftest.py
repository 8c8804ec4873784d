"""What modules of keys share: a product that begins open, and that the first of them shuts."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser

from tests.fixtures.products import Product, run_product


@pytest.fixture(scope="package")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product without demo, until the last page was looked at."""
    assert browser.is_connected()
    with run_product(tmp_path_factory.mktemp("product"), "--no-demo") as running:
        yield running
