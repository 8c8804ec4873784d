"""Compiled: loops over bytes, for the few things that columns cannot say.

Reading lines and finding words look at every byte in turn. Such a function is plain Python over
NumPy arrays; Numba makes machine code of it when it is first called, keeps that beside the module
and lets other threads run meanwhile. Everything else stays with Polars and NumPy.

Arrays belong to the caller: compiled code neither makes any nor counts who holds them, which would
cost more than the work itself.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, ParamSpec, TypeVar

import numba
import numpy as np
import polars as pl
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def _find_cache() -> Path:
    """Return the folder for the machine code of this very core.

    Numba only sees that the module of a function has changed. Constants and functions of other
    modules are part of the code as well, so that any change in the core begins anew.
    """
    core = Path(__file__).parent
    sources = hashlib.sha256()
    for file in sorted(core.rglob("*.py")):
        sources.update(file.read_bytes())
    folder = core / "__pycache__" / f"compiled-{sources.hexdigest()[:16]}"
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK):
            return folder
    # Nothing can be kept here: every start makes the code anew, which takes some seconds.
    return Path(tempfile.mkdtemp(prefix="telemetra-"))


CACHE: Final = _find_cache()

numba.config.CACHE_DIR = str(CACHE)


@contextlib.contextmanager
def making(what: str) -> Iterator[None]:
    """Let one process make the machine code of something, while those that need the same wait.

    All processes begin at once after a change, and each would be busy for some ten seconds with
    what every other makes as well.
    """
    with (CACHE / f"{what}.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def compiled(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function run as machine code."""
    make = numba.njit(cache=True, nogil=True, _nrt=False)
    made: Callable[Parameters, Result] = make(function)
    return made


def inlined(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function become part of the machine code that calls it.

    For one that takes a tuple of many arrays: each call hands on all of what describes them, some
    hundred words, which costs more than reading a short line.
    """
    make = numba.njit(nogil=True, _nrt=False, inline="always")
    made: Callable[Parameters, Result] = make(function)
    return made


def join_texts(texts: pl.Series) -> tuple[str, NDArray[np.int64]]:
    """Return all texts in one, and where the bytes of each end."""
    lengths = texts.str.len_bytes().fill_null(0).cast(pl.Int64)
    return texts.str.join("", ignore_nulls=True).item(), lengths.to_numpy().cumsum()


@compiled
def count_byte(data: Bytes, wanted: np.uint8) -> int:
    """Return how often a byte stands in data."""
    count = 0
    for byte in data:
        count += byte == wanted
    return count
