"""Loading: a process imports what it needs without looking for garbage in it.

    with loading(): imports ─► all of it stays ─► the work, and its garbage

A process of ours loads some two hundred thousand objects, which stay until its end. To look through
them again and again while they become more takes a fifth of a start, and once more at the end.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """Leave garbage alone for the length of the block, and for good what is there at its end."""
    if not gc.isenabled():
        # Whoever switched it off means to do so for longer.
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        # Imports leave a thousand objects as garbage: less than it takes to look for them.
        gc.freeze()
        gc.enable()
