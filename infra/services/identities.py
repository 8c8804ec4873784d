"""Identities: as whom PostgreSQL runs, because it refuses to run as root.

    ordinary user            directly
    root, user namespaces    unshare: another user inside, root's own files outside, same process id
    root, none allowed       setpriv: nobody, who owns the data folder and may pass root's folders

A user id without a name (a container started with ``--user 12345``) is treated like root.
"""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.errors import ServiceMissingError


@dataclass(frozen=True, slots=True)
class Identity:
    """A way to run a program as somebody PostgreSQL accepts."""

    owner: tuple[int, int]
    """User and group that must own the data folder, as seen from outside."""

    prefix: tuple[str, ...] = ()
    """Put before the program; replaces itself by it, so that the process id stays."""

    def command(self, program: Path, *arguments: str) -> list[str]:
        """Write the command line that runs a program so."""
        return [*self.prefix, str(program), *arguments]

    def own(self, folder: Path) -> None:
        """Give a folder and all in it to the user that the program will run as."""
        if os.geteuid() == 0 and folder.stat().st_uid != self.owner[0]:
            for path in (*folder.rglob("*"), folder):
                os.chown(path, *self.owner, follow_symlinks=False)


def find_identity() -> Identity:
    """Choose how to run PostgreSQL here.

    Raises:
        ServiceMissingError: As root, neither user namespaces nor a change of user are allowed.
    """
    if os.geteuid() != 0 and _has_name(os.geteuid()):
        return Identity((os.geteuid(), os.getegid()))
    return choose_identity(can_run=_can_run, is_root=os.geteuid() == 0)


def choose_identity(*, can_run: Callable[[Sequence[str]], bool], is_root: bool) -> Identity:
    """Choose among the ways to be somebody else.

    Raises:
        ServiceMissingError: None works.
    """
    nobody = pwd.getpwnam("nobody")
    mapped = (
        "unshare",
        "--user",
        f"--map-user={nobody.pw_uid}",
        f"--map-group={nobody.pw_gid}",
        "--",
    )
    if can_run(mapped):
        return Identity((os.geteuid(), os.getegid()), mapped)
    changed = (
        "setpriv",
        f"--reuid={nobody.pw_uid}",
        f"--regid={nobody.pw_gid}",
        "--clear-groups",
        # A change of user forgets which signal to send when the parent dies.
        "--pdeathsig=keep",
        # Passing root's folders (a clone below /root, mode 0700) takes this one capability, and the
        # bit lets access(2), with which PostgreSQL looks for its programs, use it too.
        "--inh-caps=-all,+dac_override",
        "--ambient-caps=-all,+dac_override",
        "--securebits=+no_setuid_fixup",
        "--",
    )
    if is_root and can_run(changed):
        return Identity((nobody.pw_uid, nobody.pw_gid), changed)
    raise ServiceMissingError(
        "PostgreSQL refuses to run as this user, and neither `unshare --user` nor `setpriv` work "
        "here. Run Telemetra as an ordinary user, or set DATABASE_URL."
    )


def _has_name(user_id: int) -> bool:
    try:
        pwd.getpwuid(user_id)
    except KeyError:
        return False
    return True


def _can_run(prefix: Sequence[str]) -> bool:
    if shutil.which(prefix[0]) is None:
        return False
    return subprocess.run([*prefix, "true"], capture_output=True, check=False).returncode == 0
