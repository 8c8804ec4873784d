"""Bootstrap: make the virtual environment from the lock, then run a module in it.

    python infra/bootstrap.py [--dev | --bench] [-- module argument …]

Uses nothing but the standard library, because it runs before anything is installed. The Makefile
and CI call it before every command: when nothing changed it only compares digests, which takes
milliseconds. Every package is checked against the hashes of the lock; where packages come from is
pip's configuration.
"""

import argparse
import ast
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
VERSIONS = ((3, 11), (3, 12))
LOCK, DEV_LOCK, BENCH_LOCK = "requirements.lock", "requirements-dev.lock", "requirements-bench.lock"
LOCKS = (LOCK, DEV_LOCK, BENCH_LOCK)
"""Each holds all of the one before it."""

STAMP = ".telemetra"
"""In the environment, written last: an environment without it was interrupted and is made again."""

UV_TIMEOUT_S = "120"

PIP_TO_UV = {
    "index-url": "UV_DEFAULT_INDEX",
    "no-index": "UV_NO_INDEX",
    "find-links": "UV_FIND_LINKS",
    "cert": "SSL_CERT_FILE",
}
"""uv does not read pip's configuration; these options decide where packages come from."""


class BootstrapError(Exception):
    """The environment cannot be made; the text says what to do."""


@dataclass(frozen=True)
class Stamp:
    """What an environment was made from, and where."""

    venv: Path
    lock: str
    digest: str

    @classmethod
    def read(cls, venv: Path) -> "Stamp | None":
        """Read the stamp of an environment; None when it was never finished."""
        file = venv / STAMP
        lines = file.read_text().splitlines() if file.is_file() else []
        return cls(Path(lines[0]), lines[1], lines[2]) if len(lines) == 3 else None

    def write(self) -> None:
        """Mark the environment as finished."""
        (self.venv / STAMP).write_text(f"{self.venv}\n{self.lock}\n{self.digest}\n")


@dataclass(frozen=True)
class Environment:
    """The virtual environment of one working copy."""

    root: Path

    @property
    def venv(self) -> Path:
        """Where it lies."""
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """Its interpreter."""
        return self.venv / "bin" / "python"

    def ensure(self, lock: str = LOCK) -> None:
        """Make the environment, or bring it up to date with the lock.

        Raises:
            BootstrapError: It cannot be made.
        """
        old = Stamp.read(self.venv)
        if old is not None and old.lock in LOCKS:
            # What holds more stays once it is installed, or commands would take turns.
            lock = max(lock, old.lock, key=LOCKS.index)
        wanted = Stamp(self.venv, lock, self._digest(lock))
        is_sound = old is not None and old.venv == self.venv and self._is_sound()
        if is_sound and old == wanted:
            return
        if not is_sound:
            self._make()
        (self.venv / STAMP).unlink(missing_ok=True)
        self._install(self.root / lock)
        self._install_project()
        wanted.write()

    def _digest(self, lock: str) -> str:
        content = [(self.root / name).read_bytes() for name in (lock, "pyproject.toml")]
        return hashlib.sha256(b"\0".join(content)).hexdigest()

    def _is_sound(self) -> bool:
        """Tell whether the interpreter is there and of the version that runs this."""
        config = self.venv / "pyvenv.cfg"
        if not config.is_file() or not os.access(self.python, os.X_OK):
            return False
        version = re.search(r"^version\s*=\s*(\d+)\.(\d+)", config.read_text(), re.MULTILINE)
        return version is not None and (int(version[1]), int(version[2])) == sys.version_info[:2]

    def _make(self) -> None:
        if (
            importlib.util.find_spec("ensurepip") is None
            or importlib.util.find_spec("venv") is None
        ):
            name = f"python{sys.version_info[0]}.{sys.version_info[1]}-venv"
            raise BootstrapError(f"Python's venv module is not complete. Run `apt install {name}`.")
        with step("made .venv"):
            shutil.rmtree(self.venv, ignore_errors=True)
            interpreter = getattr(sys, "_base_executable", None) or sys.executable
            run([interpreter, "-m", "venv", str(self.venv)])

    def _install(self, lock: Path) -> None:
        """Install the lock with uv, which is several times faster, else with pip."""
        text = lock.read_text()
        count = len(re.findall(r"^[\w.-]+==", text, re.MULTILINE))
        try:
            with step("installed uv"):
                self._install_uv(text)
            with step(f"installed {count} packages"):
                uv = [str(self.venv / "bin" / "uv"), "pip", "sync", "--quiet", "--require-hashes"]
                run([*uv, "--python", str(self.python), str(lock)], self._uv_environment())
        except BootstrapError as error:
            print(f"  uv did not work ({error}); using pip", file=sys.stderr, flush=True)
            with step(f"installed {count} packages with pip"):
                self._run_pip("install", "--require-hashes", "--requirement", str(lock))

    def _install_uv(self, lock_text: str) -> None:
        match = re.search(
            r"^uv==([\w.]+)[^\n]*(?:\n {4}--hash=\S+(?: \\)?)*", lock_text, re.MULTILINE
        )
        if match is None:
            raise BootstrapError("the lock does not name it")
        if any(self.venv.glob(f"lib/*/site-packages/uv-{match[1]}.dist-info")):
            return
        with tempfile.TemporaryDirectory() as folder:
            lines = Path(folder) / "uv.lock"
            lines.write_text(match[0].rstrip(" \\") + "\n")
            self._run_pip("install", "--require-hashes", "--requirement", str(lines))

    def _install_project(self) -> None:
        """Install the working copy itself, in place and without the network."""
        with step("installed telemetra in place"):
            self._run_pip(
                "install",
                "--no-deps",
                "--no-build-isolation",
                "--no-index",
                "--editable",
                str(self.root),
            )

    def _run_pip(self, command: str, *arguments: str) -> None:
        quiet = ["--quiet", "--disable-pip-version-check", "--no-input"]
        run([str(self.python), "-m", "pip", command, *quiet, *arguments])

    def _uv_environment(self) -> dict[str, str]:
        listed = subprocess.run(
            [str(self.python), "-m", "pip", "config", "list"],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        defaults = {"UV_HTTP_TIMEOUT": UV_TIMEOUT_S, "UV_PYTHON_DOWNLOADS": "never"}
        return {**defaults, **translate_pip_config(listed), **os.environ}


def translate_pip_config(listed: str) -> dict[str, str]:
    """Turn what ``pip config list`` prints into variables for uv; the environment wins."""
    found: dict[str, str] = {}
    for section in ("global", "install", ":env:"):
        for line in listed.splitlines():
            name, _, value = line.partition("=")
            place, _, option = name.rpartition(".")
            if place == section and option in PIP_TO_UV:
                # pip separates several values by spaces, uv by commas.
                found[PIP_TO_UV[option]] = ",".join(str(ast.literal_eval(value)).split())
    return found


@contextmanager
def step(done: str) -> Iterator[None]:
    """Print one line when a step is done, with its seconds."""
    started = time.monotonic()
    yield
    print(f"  {done} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
    """Run a command quietly.

    Raises:
        BootstrapError: It failed; the text is the end of what it printed.
    """
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except OSError as error:
        raise BootstrapError(f"{command[0]}: {error.strerror}") from error
    if done.returncode:
        lines = (done.stderr or done.stdout).strip().splitlines()[-5:]
        raise BootstrapError("\n".join([f"{' '.join(command[:4])} failed:", *lines]))


def main(arguments: Sequence[str]) -> int:
    """Bring the environment up to date and become the command that follows ``--``."""
    words = list(arguments)
    split = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(
        description="Make .venv from the lock, then run a module in it."
    )
    more = parser.add_mutually_exclusive_group()
    more.add_argument("--dev", action="store_true", help="with what tests and checks need")
    more.add_argument("--bench", action="store_true", help="with the peers of `make bench` as well")
    options = parser.parse_args(words[:split])
    if sys.version_info[:2] not in VERSIONS:
        print(
            f"Telemetra needs Python 3.11 or 3.12; this is {sys.version.split()[0]}.",
            file=sys.stderr,
        )
        return 1
    environment = Environment(REPOSITORY)
    try:
        # Two commands at once take turns; the lock ends with this process or its exec.
        with Path(__file__).open() as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            environment.ensure(BENCH_LOCK if options.bench else DEV_LOCK if options.dev else LOCK)
    except BootstrapError as error:
        print(error, file=sys.stderr)
        return 1
    if command := words[split + 1 :]:
        os.execv(environment.python, [str(environment.python), "-m", *command])  # noqa: S606 - our own interpreter.
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
