"""Networks: a cable that can be unplugged, so that clients vanish without a word.

A namespace of the system's with one pair of virtual devices. It needs root and ``ip``; without
them what depends on it is not measured, and the page says so.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

OURS: Final = "10.213.7.1"
THEIRS: Final = "10.213.7.2"
SUBNET_BITS: Final = 30


@dataclass(frozen=True, slots=True)
class Cable:
    """The namespace at its other end."""

    name: str
    device: str

    @property
    def before(self) -> list[str]:
        """What starts a program at the other end."""
        return ["ip", "netns", "exec", self.name]

    def unplug(self) -> None:
        """Let nothing pass any more in either direction."""
        _run(*self.before, "ip", "link", "set", self.device, "down")


def can_plug() -> bool:
    """Tell whether this user may make a cable."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


@contextmanager
def plug_cable() -> Iterator[Cable]:
    """Connect a namespace for the length of a block."""
    name = f"push{os.getpid()}"
    near, far = f"pn{os.getpid()}", f"pf{os.getpid()}"
    cable = Cable(name, far)
    _run("ip", "netns", "add", name)
    try:
        _run("ip", "link", "add", near, "type", "veth", "peer", "name", far)
        _run("ip", "link", "set", far, "netns", name)
        _run("ip", "addr", "add", f"{OURS}/{SUBNET_BITS}", "dev", near)
        _run("ip", "link", "set", near, "up")
        _run(*cable.before, "ip", "addr", "add", f"{THEIRS}/{SUBNET_BITS}", "dev", far)
        _run(*cable.before, "ip", "link", "set", far, "up")
        yield cable
    finally:
        # The devices go with it.
        _run("ip", "netns", "delete", name)


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
