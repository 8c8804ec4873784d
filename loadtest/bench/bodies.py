"""Bodies: a file of lines cut into requests, as senders would send it."""

from collections.abc import Iterator
from pathlib import Path


def read_bodies(file: Path, size: int) -> Iterator[bytes]:
    """Yield whole lines, so many bytes and the rest of a line at a time."""
    with file.open("rb") as source:
        while body := source.read(size):
            yield body if body.endswith(b"\n") else body + source.readline()
