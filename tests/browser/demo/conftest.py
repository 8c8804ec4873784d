"""The demo that modules of pages share: each names streams of its own where it writes."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.fixtures.products import Product, run_product
from tests.fixtures.receivers import Receiver, receiving


@pytest.fixture(scope="package")
def demo(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The product with its demo, until the last page was looked at."""
    assert browser.is_connected()
    with run_product(tmp_path_factory.mktemp("demo")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def receiver() -> AsyncIterator[Receiver]:
    """A receiver that listens in the loop of the pages."""
    async with receiving(Receiver()) as receiver:
        yield receiver
