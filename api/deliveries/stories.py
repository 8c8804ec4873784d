"""Stories of deliveries: one with what it says and all that was tried."""

from typing import Any

import orjson

from db.deliveries import DeliveryStore
from db.pool import Connection

Row = dict[str, Any]


def show_delivery(row: Row) -> Row:
    """Return a stored delivery as clients read it."""
    shown = dict(row)
    shown["group"] = orjson.loads(shown.pop("group_key"))
    return shown


async def read_story(connection: Connection, delivery_id: str) -> Row:
    """Return a delivery with its attempts.

    Raises:
        NotFoundError: There is no such delivery.
    """
    store = DeliveryStore(connection)
    row = await store.get(delivery_id)
    return {**show_delivery(row), "tried": await store.list_attempts(delivery_id)}
