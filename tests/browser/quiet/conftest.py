"""What modules share that bring what they show themselves: a product to which nobody else sends."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.fixtures.products import Product, run_product
from tests.fixtures.receivers import Receiver, receiving


@pytest.fixture(scope="package")
def product(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """A product without demo, until the last page was looked at."""
    assert browser.is_connected()
    with run_product(tmp_path_factory.mktemp("product"), "--no-demo") as running:
        yield running


@pytest.fixture(scope="package")
def status(product: Product) -> dict[str, Any]:
    """Where its parts answer."""
    return product.status()


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens in the loop of the pages."""
    async with receiving(Receiver()) as receiver:
        yield receiver
