"""Child: ties a new process to the life of its supervisor, then becomes the program.

    supervisor --spawn--> child.py --exec--> the program, with the same process id

Run by path with ``-I -S``: that costs some 15 ms and imports nothing of ours. A ``preexec_fn``
would run Python between fork and exec, which can dead-lock because the supervisor has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def follow(supervisor_pid: int, death_signal: int) -> None:
    """Have the kernel signal this process when the supervisor dies. Only Linux can."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != supervisor_pid:
        sys.exit("the supervisor died while this process started")


def main(supervisor_pid: str, death_signal: str, *program: str) -> None:
    """Become the program. Signals ignored by Python or ``nohup`` would stay so: undo that."""
    follow(int(supervisor_pid), int(death_signal))
    for number in (signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    try:
        os.execvp(program[0], program)  # noqa: S606 - there is no shell, and none is wanted.
    except OSError as error:
        sys.exit(f"cannot start {program[0]}: {error.strerror}")


if __name__ == "__main__":
    main(*sys.argv[1:])
