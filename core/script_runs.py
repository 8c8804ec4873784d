"""Script runs: how far a script is, and what is to be done next.

    decide ─► Send ─► note_queued ─► note_result ─┐
           ─► Cancel                              ├─► decide ─► … ─► End
           ─► Rest until ─► note_point, time ─────┘

Pure: whoever runs a script asks ``decide`` again whenever something was noted, and at the latest
when a rest is over. The command line does so over HTTP, a job (``streaming.jobs``) inside the
server. A run that somebody else began goes on from what was written down: ``ScriptRun.resume``.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self, TypeAlias

from core.commands import ENDS, State
from core.scripts import PauseStep, Script, SendStep, Step, WaitStep

CANCEL_WITHIN_MS: Final = 10_000
"""How long a command that is not wanted any more may take to end."""


class RunState(StrEnum):
    """Where a run stands, or how a step ended."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a step ended."""

    number: int
    step: Step
    state: RunState
    message: str | None
    took_ms: int


@dataclass(frozen=True, slots=True)
class Send:
    """Ask for a command; then ``note_queued``, ``note_refused`` or ``note_unsent``."""

    step: SendStep


@dataclass(frozen=True, slots=True)
class Cancel:
    """Cancel a command; said once."""

    command_id: str


@dataclass(frozen=True, slots=True)
class Rest:
    """Nothing is to be done until something is noted, or until a time."""

    until_ms: int | None


@dataclass(frozen=True, slots=True)
class End:
    """All is over."""

    state: RunState


Action: TypeAlias = Send | Cancel | Rest | End


@dataclass(slots=True)
class ScriptRun:
    """One run of a script."""

    script: Script
    outcomes: list[Outcome] = field(default_factory=list)
    _number: int = 0
    _began_ms: int | None = None
    _command_id: str | None = None
    _is_sent: bool = False
    _cancelled_ms: int | None = None
    _ended: tuple[RunState, str | None] | None = None
    """How the step ended, when that is known."""

    _is_aborted: bool = False
    _is_barred: bool = False
    _failed: bool = False
    _values: dict[str, Any] = field(default_factory=dict)
    _reason: str | None = None

    @classmethod
    def resume(
        cls,
        script: Script,
        outcomes: Sequence[Outcome],
        *,
        began_ms: int | None = None,
        command_id: str | None = None,
    ) -> Self:
        """Go on with a run of which somebody else did a part.

        Args:
            script: The same as before.
            outcomes: Of the steps that ended, in order.
            began_ms: When the step after them began; None when it did not.
            command_id: Under which its command was taken; None when it was not.
        """
        run = cls(script, list(outcomes))
        run._number = len(outcomes)
        run._failed = bool(outcomes) and _stops(outcomes[-1])
        run._began_ms = began_ms
        run._command_id = command_id
        run._is_sent = command_id is not None
        return run

    @property
    def began_ms(self) -> int | None:
        """When the step that is under way began; None when none is."""
        return self._began_ms

    @property
    def command_id(self) -> str | None:
        """The command of the step that is under way; None when it has none."""
        return self._command_id

    @property
    def progress(self) -> float:
        """How much is done, 0 to 1."""
        return self._number / len(self.script.steps)

    @property
    def current(self) -> Step | None:
        """The step that is under way."""
        steps = self.script.steps
        return steps[self._number] if self._number < len(steps) and not self._failed else None

    def decide(self, now_ms: int) -> Action:
        """Return what is to be done now."""
        while True:
            step = self.current
            if step is None:
                return End(self._find_state())
            if self._began_ms is None:
                self._began_ms = now_ms
            if self._is_aborted and not self._holds_command():
                self._close(step, RunState.ABORTED, "aborted", now_ms)
                return End(RunState.ABORTED)
            if self._ended is None:
                action = self._continue(step, self._began_ms, now_ms)
                if action is not None:
                    return action
            if self._ended is not None:
                self._close(step, *self._ended, now_ms)

    def note_queued(self, command_id: str) -> None:
        """Note under which id the command of the step was taken."""
        self._command_id = command_id

    def note_refused(self, reason: str, *, for_good: bool = False) -> None:
        """Note that the command of the step was not taken.

        Args:
            reason: Why.
            for_good: Whether no other would be: then nothing comes after it, whatever the step
                says of its failure.
        """
        self._ended = RunState.FAILED, reason
        self._is_barred = for_good

    def note_unsent(self) -> None:
        """Note that the command of the step was not asked for; it is decided anew."""
        self._is_sent = False

    def note_result(self, command_id: str, state: str, message: str | None) -> None:
        """Note what became of a command; of others than the one under way it counts nothing."""
        if command_id != self._command_id or State(state) not in ENDS:
            return
        if self._is_aborted and state == State.CANCELLED:
            # Also when whoever cancelled it did not live to note that.
            self._ended = RunState.ABORTED, "aborted"
        elif self._cancelled_ms is not None and state != State.SUCCEEDED:
            is_abort = self._is_aborted
            self._ended = (
                (RunState.ABORTED, "aborted") if is_abort else (RunState.FAILED, self._reason)
            )
        elif state == State.SUCCEEDED:
            self._ended = RunState.SUCCEEDED, message
        else:
            words = state.replace("_", " ")
            self._ended = RunState.FAILED, f"{words}: {message}" if message else words

    def note_point(self, telemetry_id: str, value: object) -> None:
        """Note what the device measured; the newest value counts, also one from before."""
        self._values[telemetry_id] = value

    def abort(self) -> None:
        """End it: what is under way is cancelled, nothing else begins."""
        self._is_aborted = True

    def _holds_command(self) -> bool:
        return self._is_sent and self._ended is None

    def _continue(self, step: Step, began_ms: int, now_ms: int) -> Action | None:
        match step:
            case SendStep():
                return self._send_on(step, began_ms, now_ms)
            case WaitStep():
                return self._wait_on(step, began_ms, now_ms)
            case PauseStep():
                until_ms = began_ms + round(step.seconds * 1000)
                if now_ms < until_ms:
                    return Rest(until_ms)
                self._ended = RunState.SUCCEEDED, None
                return None

    def _send_on(self, step: SendStep, began_ms: int, now_ms: int) -> Action | None:
        if not self._is_sent:
            self._is_sent = True
            return Send(step)
        if self._command_id is None:
            return Rest(None)
        if self._cancelled_ms is not None:
            until_ms = self._cancelled_ms + CANCEL_WITHIN_MS
            if now_ms < until_ms:
                return Rest(until_ms)
            state = RunState.ABORTED if self._is_aborted else RunState.FAILED
            self._ended = state, f"{self._reason}; it was cancelled, and nothing says that it ended"
            return None
        due_ms = None if step.timeout_s is None else began_ms + round(step.timeout_s * 1000)
        is_late = due_ms is not None and now_ms >= due_ms
        if self._is_aborted or is_late:
            self._cancelled_ms = now_ms
            self._reason = "aborted" if self._is_aborted else f"no end within {step.timeout_s:g} s"
            return Cancel(self._command_id)
        return Rest(due_ms)

    def _wait_on(self, step: WaitStep, began_ms: int, now_ms: int) -> Action | None:
        name = step.condition.telemetry
        if name in self._values and step.condition.holds(self._values[name]):
            self._ended = RunState.SUCCEEDED, f"{name} is {self._values[name]}"
            return None
        until_ms = began_ms + round(step.within_s * 1000)
        if now_ms < until_ms:
            return Rest(until_ms)
        last = self._values.get(name, "nothing")
        self._ended = RunState.FAILED, f"not within {step.within_s:g} s; {name} is {last}"
        return None

    def _close(self, step: Step, state: RunState, message: str | None, now_ms: int) -> None:
        began_ms = now_ms if self._began_ms is None else self._began_ms
        outcome = Outcome(self._number + 1, step, state, message, now_ms - began_ms)
        self.outcomes.append(outcome)
        self._failed = self._is_barred or _stops(outcome)
        self._number += 1
        self._began_ms = self._command_id = self._cancelled_ms = self._ended = self._reason = None
        self._is_sent = False

    def _find_state(self) -> RunState:
        states = {outcome.state for outcome in self.outcomes}
        if RunState.ABORTED in states:
            return RunState.ABORTED
        return RunState.FAILED if self._failed else RunState.SUCCEEDED


def _stops(outcome: Outcome) -> bool:
    """Whether nothing comes after a step that ended so."""
    is_passed_over = outcome.step.goes_on and outcome.state is RunState.FAILED
    return outcome.state is not RunState.SUCCEEDED and not is_passed_over
