"""What modules share that bring what they show themselves: a product to which nobody else sends.

Each has streams, devices and sessions with names of its own. They are run by name: the pages that
show how it looks before there is any route or device come first, the thousand streams last.
"""

from typing import Any

import pytest

from tests.fixtures.page_products import product, receiver
from tests.fixtures.products import Product

__all__ = ["product", "receiver"]


@pytest.fixture(scope="package")
def status(product: Product) -> dict[str, Any]:
    """Where its parts answer."""
    return product.status()
