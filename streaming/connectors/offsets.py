"""Offsets: where a connector goes on after a restart, in a small file of its own.

Written only for what the API has acknowledged. A crash between the two reads the last events
again, and their ids make them count once.
"""

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson

from core.errors import ConflictError, ServiceMissingError, TelemetraError


class OffsetsUnreadableError(TelemetraError):
    """The file of offsets is there and is not one; to start over silently would double events."""

    code = "offsets_unreadable"
    title = "The offsets cannot be read"


class OffsetFile:
    """The offsets of one connector, by whatever its source calls its parts."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> dict[str, Any]:
        """Return the offsets; none when nothing was ever acknowledged.

        Raises:
            OffsetsUnreadableError: The file holds something else.
        """
        try:
            found = orjson.loads(self.path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError) as error:
            raise self.explain(str(error)) from None
        if not isinstance(found, dict):
            raise self.explain("it holds no object")
        return found

    def write(self, offsets: Mapping[str, Any]) -> None:
        """Replace the offsets so that a crash leaves the old ones or the new ones, whole."""
        part = self.path.with_name(f"{self.path.name}.part")
        with part.open("wb") as file:
            file.write(orjson.dumps(dict(offsets)))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self.path)
        _sync_folder(self.path.parent)

    def explain(self, reason: str) -> OffsetsUnreadableError:
        """Return the error to raise when what was read makes no sense."""
        return OffsetsUnreadableError(
            f"{self.path} cannot be read: {reason}. Mend it, or remove it to read the source from"
            " its beginning."
        )


@contextmanager
def open_offsets(data_dir: Path, name: str) -> Iterator[OffsetFile]:
    """Lend the offsets of a connector to one process at a time.

    Args:
        data_dir: The folder of everything that lasts.
        name: Tells this connector and its source from all others; becomes a file name.

    Raises:
        ConflictError: Another process has them.
        ServiceMissingError: The folder cannot be written.
    """
    folder = data_dir / "connectors"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / f"{name}.lock").open("ab")
    except OSError as error:
        raise ServiceMissingError(f"Cannot write to {folder}: {error.strerror}.") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConflictError(
                f"Another connector named {name} runs over {data_dir}. Stop that one first."
            ) from None
        yield OffsetFile(folder / f"{name}.json")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
