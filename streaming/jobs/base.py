"""Jobs: what a worker runs, and how it says that it has to be run again.

deferred by the API ─► waits in a queue ─► runs ─┬─► done
▲                      ├─► failed
╰── later ─────────────╯
"""

from typing import Any, ClassVar, Protocol


class RunLaterError(Exception):
    """What a job needs is away; the same again may succeed."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s
        """What was asked for; None leaves it to the worker."""


class InterruptedJobError(Exception):
    """The worker has to stop; another one takes the job up at once."""


class Job(Protocol):
    """A kind of work. It may be run twice, and ends once."""

    name: ClassVar[str]
    queue: ClassVar[str]

    async def run(self, **arguments: Any) -> None:  # noqa: ANN401 (each has its own)
        """Work until it is done.

        Raises:
            RunLaterError: It has to be tried again.
        """
        ...
