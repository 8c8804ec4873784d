"""Lock: resolve the lock files (``make lock``).

    pyproject.toml -> requirements.lock, requirements-dev.lock, requirements-bench.lock
    infra/node.in  -> infra/node.lock

Pins that still fit are kept; ``--upgrade`` takes the newest. The files name no package index.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Final

from core.settings import REPOSITORY

COMPILE: Final = (
    str(Path(sys.executable).parent / "uv"),
    "pip",
    "compile",
    "--universal",
    "--python-version",
    "3.11",
    "--generate-hashes",
    "--no-emit-index-url",
    "--no-header",
    "--quiet",
)
LOCKS: Final = (
    ("pyproject.toml", "-o", "requirements.lock"),
    ("pyproject.toml", "--extra", "dev", "-c", "requirements.lock", "-o", "requirements-dev.lock"),
    (
        "pyproject.toml",
        "--extra",
        "dev",
        "--extra",
        "peers",
        "-c",
        "requirements-dev.lock",
        "-o",
        "requirements-bench.lock",
    ),
    ("infra/node.in", "-o", "infra/node.lock"),
)


def main() -> int:
    """Write the files and return the exit code of the first that failed."""
    parser = argparse.ArgumentParser(prog="python -m infra.lock", description=__doc__)
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    more = ("--upgrade",) if parser.parse_args().upgrade else ()
    for lock in LOCKS:
        code = subprocess.run((*COMPILE, *lock, *more), cwd=REPOSITORY, check=False).returncode
        if code != 0:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
