"""What modules of devices share: a product to which only their own devices are connected."""

from tests.fixtures.page_products import product

__all__ = ["product"]
