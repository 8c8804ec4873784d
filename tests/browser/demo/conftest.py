"""The demo that modules of pages share: each names streams of its own where it writes."""

from collections.abc import Iterator

import pytest
from playwright.async_api import Browser

from tests.fixtures.page_products import receiver
from tests.fixtures.products import Product, run_product

__all__ = ["receiver"]


@pytest.fixture(scope="package")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product with its demo, until the last page was looked at."""
    assert browser.is_connected()
    with run_product(tmp_path_factory.mktemp("demo")) as running:
        yield running
