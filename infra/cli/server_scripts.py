"""Server scripts: handed to the server, which does them; from here they are only looked at."""

import secrets
import signal
import time
from collections.abc import Callable, Mapping
from types import FrameType
from typing import Any, Final

from core.errors import ConflictError, ServiceMissingError, TelemetraError
from core.script_runs import RunState
from infra.cli.device_calls import DeviceCaller

LOOK_EVERY_S: Final = 0.5
ENDS: Final = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.ABORTED})
"""Of a run and of a step; one that is skipped is not shown."""

Row = Mapping[str, Any]
Say = Callable[[str], None]
Show = Callable[[Row], None]


class ServerScript:
    """One run of a script, as the server tells of it."""

    def __init__(self, calls: DeviceCaller, text: str, say: Say) -> None:
        """Hand a script over; it runs from now on, whatever becomes of this process.

        Raises:
            TelemetraError: The server refused it, or does not answer.
        """
        self._calls = calls
        self._say = say
        self._run = calls.start_script(text, secrets.token_hex(16))
        self.run_id: str = self._run["run_id"]

    def follow(self, show: Show) -> RunState:
        """Show each step when it has ended, and return how all of it ended.

        Ctrl-C aborts it; a second one leaves at once, and the server goes on ending it.
        """
        before = signal.signal(signal.SIGINT, self._abort)
        shown = 0
        try:
            while True:
                ended = [step for step in self._run["steps"] if step["state"] in ENDS]
                for step in ended[shown:]:
                    show(step)
                shown = len(ended)
                if self._run["state"] in ENDS:
                    return RunState(self._run["state"])
                time.sleep(LOOK_EVERY_S)
                self._look()
        finally:
            signal.signal(signal.SIGINT, before)

    def _look(self) -> None:
        try:
            self._run = self._calls.find_script_run(self.run_id)
        except ServiceMissingError:
            # It goes on without us, and there is nothing better to do than to wait.
            return

    def _abort(self, _number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._say("Aborting; Ctrl-C again leaves at once.")
        try:
            self._calls.abort_script_run(self.run_id)
        except ConflictError:
            return
        except TelemetraError as error:
            self._say(f"{self.run_id} was not aborted: {error.detail}")
