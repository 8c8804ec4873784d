"""Wrk runs: so many connections ask one server for so long, and what wrk said of it.

wrk is a small program of its own (in Debian: ``apt-get install wrk``): a client in Python would be
the slowest part of what it measures.
"""

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

CONNECTIONS: Final = 32
PROGRAM: Final = "wrk"

TIMEOUT_S: Final = 10
"""A later answer is none; of wrk's own two seconds a busy machine may take all."""

_MS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_RATE: Final = re.compile(r"Requests/sec:\s+([\d.]+)")
_PERCENTILE: Final = re.compile(r"^\s+(\d+)%\s+([\d.]+)(us|ms|s|m) *$", re.MULTILINE)
_WRONG: Final = re.compile(r"^.*(?:Non-2xx|Socket errors).*$", re.MULTILINE)


class WrkError(Exception):
    """Something else than good answers came back; the text says what."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    script: Path | None = None
    """Lua that makes each request; without one all are alike."""

    connections: int = CONNECTIONS


@dataclass(frozen=True, slots=True)
class Shot:
    """What one run found."""

    rate: float
    """Requests a second."""

    p50_ms: float
    p99_ms: float
    cpu_us: float = 0.0
    """Processor time of the server a request; moves less when the machine is busy."""


def run_wrk(wanted: Wanted, seconds: int) -> Shot:
    """Ask for some seconds.

    Raises:
        WrkError: Not every answer was a good one.
    """
    command = [PROGRAM, "-t1", f"-c{wanted.connections}", f"-d{seconds}s", "--latency"]
    command += ["--timeout", f"{TIMEOUT_S}s"]
    for name, value in wanted.headers:
        command += ["-H", f"{name}: {value}"]
    if wanted.script is not None:
        command += ["-s", str(wanted.script)]
    done = subprocess.run(
        [*command, wanted.url], capture_output=True, text=True, check=False, timeout=seconds + 30
    )
    if done.returncode:
        raise WrkError(done.stderr or done.stdout)
    return read_shot(done.stdout)


def read_shot(text: str) -> Shot:
    """Read what wrk printed.

    Raises:
        WrkError: It tells of errors, or of nothing at all.
    """
    if (wrong := _WRONG.search(text)) is not None:
        raise WrkError(wrong[0].strip())
    if (rate := _RATE.search(text)) is None:
        raise WrkError(text)
    times = {percent: float(n) * _MS[unit] for percent, n, unit in _PERCENTILE.findall(text)}
    if not {"50", "99"} <= times.keys():
        raise WrkError(text)
    return Shot(float(rate[1]), times["50"], times["99"])


def write_script(file: Path, path: str, first: int) -> None:
    """Write what asks for another end with each request, so that each is a miss."""
    file.write_text(
        f"local end_ms = {first}\n"
        "request = function()\n"
        "  end_ms = end_ms + 1\n"
        f'  return wrk.format("GET", "{path}&end=" .. string.format("%.0f", end_ms))\n'
        "end\n",
        encoding="utf-8",
    )


def write_posts(file: Path, path: str, media_type: str, bodies: Sequence[bytes]) -> None:
    """Write what posts some bodies in turn, each a file beside the script."""
    for number, body in enumerate(bodies):
        file.with_suffix(f".{number}").write_bytes(body)
    file.write_text(
        "local posts, turn = {}, 0\n"
        "init = function()\n"
        f"  for number = 0, {len(bodies) - 1} do\n"
        f'    local file = io.open("{file.with_suffix("")}." .. number, "rb")\n'
        f'    local headers = {{["Content-Type"] = "{media_type}"}}\n'
        f'    posts[number] = wrk.format("POST", "{path}", headers, file:read("*a"))\n'
        "    file:close()\n"
        "  end\n"
        "end\n"
        "request = function()\n"
        f"  turn = (turn + 1) % {len(bodies)}\n"
        "  return posts[turn]\n"
        "end\n",
        encoding="utf-8",
    )
