"""Device scripts: run from here, step by step, over the API as any client would."""

import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from core.clock import Clock
from core.errors import InvalidError, ServiceMissingError, TelemetraError
from core.script_runs import Cancel, End, Outcome, RunState, ScriptRun, Send
from core.scripts import Script, SendStep, WaitStep, check_script, read_script
from core.yaml_texts import TEXT_BYTES_MAX
from infra.cli.device_calls import DeviceCaller
from infra.cli.device_links import DeviceLink

SEND_TRIES: Final = 30
SEND_PAUSE_S: Final = 1.0
"""How long a step waits for an API that is away: half a minute."""

Say = Callable[[str], None]
Show = Callable[[Outcome], None]


class DeviceScript:
    """One run of a script on one device."""

    def __init__(self, calls: DeviceCaller, script: Script, clock: Clock, say: Say) -> None:
        """Hold the script against the device.

        Raises:
            TelemetraError: The device does not know what it asks for, or the API does not answer.
        """
        check_script(script, calls.list_types(), calls.list_templates())
        self._calls = calls
        self._clock = clock
        self._say = say
        self._run = ScriptRun(script)
        self._command_id: str | None = None
        self._name = secrets.token_hex(8)

    def run(self, show: Show) -> RunState:
        """Do step after step, and show each when it has ended.

        Ctrl-C cancels what is under way and ends it; a second one leaves at once.

        Raises:
            TelemetraError: The API does not let us in.
        """
        before = signal.signal(signal.SIGINT, self._abort)
        shown = 0
        try:
            self._learn_values()
            for message in DeviceLink(self._calls.api, self._calls.device_id).listen():
                self._hear(message)
                end = self._act()
                for outcome in self._run.outcomes[shown:]:
                    show(outcome)
                shown = len(self._run.outcomes)
                if end is not None:
                    return end
        finally:
            signal.signal(signal.SIGINT, before)
        return RunState.FAILED

    def _abort(self, _number: int, _frame: FrameType | None) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        self._say("Stopping; Ctrl-C again leaves at once.")
        self._run.abort()

    def _learn_values(self) -> None:
        """Read what the device measured last; what changes seldom may not come again."""
        for name in {step.condition.telemetry for step in self._list_waits()}:
            for row in self._calls.read_history({"type": "data", "id": name, "limit": 1}):
                self._run.note_point(name, row["value"])

    def _list_waits(self) -> Iterator[WaitStep]:
        return (step for step in self._run.script.steps if isinstance(step, WaitStep))

    def _hear(self, message: dict[str, Any] | None) -> None:
        match message:
            case {"type": "data", "id": name, "value": value}:
                self._run.note_point(name, value)
            case {"type": "command_result", "value": value} if value["command_id"] is not None:
                self._run.note_result(value["command_id"], value["state"], value["message"])
            case {"type": "connected"} if self._command_id is not None:
                # Its end may have been told while nobody listened.
                row = self._calls.find_command(self._command_id)
                self._run.note_result(self._command_id, row["state"], row["message"])

    def _act(self) -> RunState | None:
        """Do what is to be done; return how all of it ended, when it has."""
        while True:
            action = self._run.decide(self._clock.now_ms())
            match action:
                case Send(step):
                    self._send(step)
                case Cancel(command_id):
                    self._cancel(command_id)
                case End(state):
                    return state
                case _:
                    return None

    def _send(self, step: SendStep) -> None:
        name = f"{self._name}-{len(self._run.outcomes)}"
        try:
            row = self._ask_on(lambda: self._calls.send(step.command, step.parameters, name))
            if (held := row.get("confirmation")) is not None:
                # Who wrote it into a script and started that has said so twice.
                self._ask_on(lambda: self._calls.confirm(row["command_id"], held["token"]))
        except TelemetraError as error:
            self._run.note_refused(error.detail)
        else:
            self._command_id = row["command_id"]
            self._run.note_queued(row["command_id"])

    def _cancel(self, command_id: str) -> None:
        try:
            row = self._ask_on(lambda: self._calls.cancel(command_id))
        except TelemetraError as error:
            # It may have ended meanwhile; the socket tells.
            self._say(f"{command_id} was not cancelled: {error.detail}")
        else:
            self._run.note_result(command_id, row["state"], row["message"])

    def _ask_on(self, ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Ask until the API answers, for a while."""
        for left in range(SEND_TRIES - 1, -1, -1):
            try:
                return ask()
            except ServiceMissingError:
                if not left:
                    raise
                time.sleep(SEND_PAUSE_S)
        raise AssertionError


def load_script(path: Path) -> tuple[Script, str]:
    """Read a script from a file; return it, and its text.

    Raises:
        InvalidError: It cannot be read, or is none; the text names its lines.
    """
    try:
        # One more than may be: what is too long is refused, and not read.
        with path.open("rb") as file:
            text = file.read(TEXT_BYTES_MAX + 1).decode()
        return read_script(text), text
    except OSError as error:
        raise InvalidError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        raise InvalidError(f"{path} is no text.") from error
    except InvalidError as error:
        raise InvalidError(f"{path}: {error.detail}", errors=error.errors) from error
