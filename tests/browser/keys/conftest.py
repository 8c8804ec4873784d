"""What modules of keys share: a product that begins open, and that the first of them shuts."""

from tests.fixtures.page_products import product, receiver

__all__ = ["product", "receiver"]
