"""Recovery stores: where the flow keeps its snapshots, in one folder or in one for each process.

    python -m streaming.flow.stores PROCESS PROCESSES     makes the share of one process

The store is cut into files, its partitions. Processes on one machine share a folder. Processes on
several machines have a folder each, on a disk of their own, because the files are SQLite, which
no network drive carries safely: partition k lies with process k mod N, each exactly once.
"""

import fcntl
import shutil
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Final

from bytewax.recovery import init_db_dir

from core.errors import SettingsInvalidError, TelemetraError
from core.settings import load_settings

RECOVERY_PARTITIONS: Final = 8
"""Fixed for ever when the store is made: the most processes the flow will ever have."""


def open_recovery_store(
    folder: Path, *, partitions: Collection[int] = range(RECOVERY_PARTITIONS)
) -> Path:
    """Return the folder of a recovery store, made with some partitions when it is not there.

    Made under another name first: a store that a crash left half made would never open again.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_name(f"{folder.name}.lock").open("ab") as lock:
        # Several processes may begin at once.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            half_made = folder.with_name(f"{folder.name}.new")
            shutil.rmtree(half_made, ignore_errors=True)
            half_made.mkdir()
            init_db_dir(half_made, RECOVERY_PARTITIONS)
            for partition in set(range(RECOVERY_PARTITIONS)) - set(partitions):
                (half_made / _name(partition)).unlink()
            half_made.rename(folder)
    return folder


def prepare_share(folder: Path, process: int, processes: int) -> None:
    """Make what one of several processes keeps of the store, or find it there.

    Raises:
        SettingsInvalidError: There cannot be such a process, or the folder holds another share.
    """
    if not 0 <= process < processes <= RECOVERY_PARTITIONS:
        raise SettingsInvalidError(
            f"Process {process} of {processes} cannot be: they are counted from 0, and there are"
            f" {RECOVERY_PARTITIONS} at most."
        )
    wanted = range(process, RECOVERY_PARTITIONS, processes)
    open_recovery_store(folder, partitions=wanted)
    names = {_name(partition) for partition in wanted}
    if (found := {path.name for path in folder.glob("part-*.sqlite3")}) != names:
        raise SettingsInvalidError(
            f"{folder} holds {', '.join(sorted(found)) or 'no partition'}, and process {process} of"
            f" {processes} keeps {', '.join(sorted(names))}. Stop the flow and move the files; no"
            " partition may be missing or exist twice."
        )


def _name(partition: int) -> str:
    return f"part-{partition}.sqlite3"


def main() -> None:
    """Prepare the share that the arguments name."""
    try:
        process, processes = (int(word) for word in sys.argv[1:])
    except ValueError:
        sys.exit("Which process, and of how many? For example: 0 2")
    try:
        prepare_share(load_settings().data_dir / "flow", process, processes)
    except TelemetraError as error:
        sys.exit(error.detail)


if __name__ == "__main__":
    main()
