"""Checks: what ``telemetra doctor`` looks at, each a function that returns findings."""

import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import psutil

from core.settings import REPOSITORY, Settings
from infra.bootstrap import STAMP, Stamp
from infra.cli.addresses import is_port_free

DISK_FREE_MIN: Final = 2_000_000_000
"""Below this the services' packages and a day of demo data no longer fit."""

DISK_FREE_GOOD: Final = 10_000_000_000
MEMORY_FREE_MIN: Final = 500_000_000
MEMORY_FREE_GOOD: Final = 1_500_000_000
"""All processes together take about a gigabyte with the simulator."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor."""

    level: Literal["ok", "warn", "fail"]
    text: str
    advice: str = ""


def check_python() -> Finding:
    """Python is a version that Bytewax has wheels for."""
    version = ".".join(str(part) for part in sys.version_info[:3])
    if (3, 11) <= sys.version_info < (3, 13):
        return Finding("ok", f"Python {version}")
    return Finding("fail", f"Python {version}", "Use Python 3.11 or 3.12.")


def check_disk(data_dir: Path) -> Finding:
    """There is room for data."""
    place = next(path for path in (data_dir, *data_dir.parents) if path.exists())
    free = shutil.disk_usage(place).free
    text = f"{free / 1e9:.1f} GB free for {data_dir}"
    if free < DISK_FREE_MIN:
        return Finding("fail", text, "Free some, or set TELEMETRA_DATA_DIR to another disk.")
    if free < DISK_FREE_GOOD:
        return Finding("warn", text, "Enough to try; data will need more.")
    return Finding("ok", text)


def check_memory() -> Finding:
    """There is memory to run in."""
    free = int(psutil.virtual_memory().available)
    text = f"{free / 1e9:.1f} GB of memory available"
    if free < MEMORY_FREE_MIN:
        return Finding("fail", text, "Close other programs, or run the services elsewhere.")
    if free < MEMORY_FREE_GOOD:
        return Finding("warn", text, "Enough for a demo; a heavy load will need more.")
    return Finding("ok", text)


def check_port(settings: Settings, *, is_ours: bool) -> Finding:
    """The API can have its port."""
    host, port = settings.api_host, settings.api_port
    if is_ours:
        return Finding("ok", "the API's port is held by the running API")
    if port == 0:
        return Finding("ok", "API_PORT=0: the API will take a free port")
    if is_port_free(host, port):
        return Finding("ok", f"port {port} is free for the API")
    if "api_port" in settings.model_fields_set:
        return Finding("fail", f"API_PORT {port} is taken", "Free it, or set API_PORT=0.")
    return Finding("warn", f"port {port} is taken", "`up` will take a free one and say which.")


def check_installation() -> Finding:
    """The installation fits the lock file."""
    stamp = Path(sys.prefix) / STAMP
    if not stamp.is_file():
        return Finding("warn", "not installed from the lock", "`make up` makes an installation.")
    made_from = Stamp.read(stamp.parent)
    lock = REPOSITORY / (made_from.lock if made_from else "requirements.lock")
    if made_from is None or not lock.is_file():
        return Finding("warn", f"{stamp} is not complete", "Run `make up`.")
    if lock.stat().st_mtime > stamp.stat().st_mtime:
        return Finding("warn", f"{lock.name} is newer than the installation", "Run `make up`.")
    return Finding("ok", f"the installation fits {lock.name}")


def check_page() -> Finding:
    """The web page was built."""
    page = REPOSITORY / "dashboards" / "live"
    if (page / "dist" / "index.html").is_file():
        return Finding("ok", "the page is built")
    if not page.is_dir():
        return Finding("warn", "no sources of the page here", "The API works without it.")
    node = shutil.which("node")
    advice = "`telemetra up` builds it." if node else "Install Node.js, then `telemetra up`."
    return Finding("warn", "the page is not built", advice)


def has_failed(findings: Iterable[Finding]) -> bool:
    """Whether any finding must be mended before Telemetra works."""
    return any(finding.level == "fail" for finding in findings)
