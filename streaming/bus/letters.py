"""Letters: a dead letter on the bus again, once however often it is tried.

``streaming.archive.letters`` does so for the command line, ``api.dead_letters`` over HTTP.
"""

import hashlib

from streaming.bus.base import BusWriter, Once


async def append_letter(bus: BusWriter, shard: int, offset: int, payload: bytes) -> None:
    """Append the bytes of a letter to the shard that they came from.

    Appended and then marked: a crash in between must not count it twice, and two who try at the
    same time must not either.

    Raises:
        BusFullError: The bus is full.
        BusAwayError: The bus cannot be reached.
        TooLargeError: The bus takes no entry as large as that any more.
    """
    once = Once(f"letter:{shard}:{offset}", hashlib.sha256(payload).hexdigest())
    await bus.append({shard: payload}, once=once)
