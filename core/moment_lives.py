"""Lives of moments: what people may do with a moment, and what state that leaves it in.

    open ─ acknowledge ─► acknowledged ─┐          ends ─► resolved
      │ ╲───── shelve, mute ─► shelved ─┤ ─ its time is over ─► what it was before
      └──────── resolve ────────────────┴─► resolved ─ reopen ─► open

Pure. What is stored changes only when somebody acts; the state is derived from it, from the end
that the flow found, and from the time, so that no job has to move anything. ``moment_state`` in the
database says the same for filters, ``db.moment_lives`` writes, ``api.moments`` serves.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

from core.errors import ConflictError, InvalidError
from core.moment_texts import describe_moment
from core.moments import Moment, MomentState, find_band

COMMENT_LENGTH_MAX: Final = 2000
"""Characters of one comment: a page of text."""

ENTRIES_MAX: Final = 1000
"""Entries of one life; all of them are read at once, two megabytes if each is a longest comment."""

SHELF_MAX: Final = timedelta(days=31)
"""What is put away for longer is forgotten, not shelved."""


class Action(StrEnum):
    """What a person does with a moment."""

    ACKNOWLEDGE = "acknowledge"
    """Say that somebody has seen it; once it is over, that resolves it."""

    SHELVE = "shelve"
    """Put it away until a time."""

    MUTE = "mute"
    """Put it away until it is over, which resolves it."""

    RESOLVE = "resolve"
    """Say that it needs nobody any more."""

    REOPEN = "reopen"
    """Undo any of these."""


LEGAL: Final[Mapping[MomentState, tuple[Action, ...]]] = {
    "open": (Action.ACKNOWLEDGE, Action.SHELVE, Action.MUTE, Action.RESOLVE),
    "acknowledged": (Action.SHELVE, Action.MUTE, Action.RESOLVE, Action.REOPEN),
    "shelved": tuple(Action),
    "resolved": (Action.REOPEN,),
}
"""What leads out of each state. Repeating what was done is always allowed and changes nothing."""


@dataclass(frozen=True, slots=True)
class MomentLife:
    """What people did with a moment, as it is stored; the flow never touches it."""

    state: MomentState = "open"
    former_state: MomentState | None = None
    """What a shelved moment comes back to."""

    shelved_until: datetime | None = None
    """None of a shelved moment: until it is over."""

    label: bool | None = None
    """Whether it was a true one; None when nobody has said."""

    version: int = 0
    """How many changes there were; the number of the newest entry."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What one request asks for; all of it or nothing happens."""

    action: Action | None = None
    until: datetime | None = None
    is_labelled: bool = False
    """Whether ``label`` is to be set, also to None."""

    label: bool | None = None
    comment: str | None = None

    @property
    def name(self) -> str:
        """The verb of the audit log."""
        return self.action or ("label" if self.is_labelled else "comment")


def find_state(life: MomentLife, ended_at: datetime | None, now: datetime) -> MomentState:
    """Return the state of a moment at a time."""
    if life.state == "shelved" and life.shelved_until is None:
        return "shelved" if ended_at is None else "resolved"
    if life.state == "shelved" and life.shelved_until is not None and life.shelved_until > now:
        return "shelved"
    base = (life.former_state or "open") if life.state == "shelved" else life.state
    return "resolved" if base == "acknowledged" and ended_at is not None else base


def list_legal(life: MomentLife, ended_at: datetime | None, now: datetime) -> list[Action]:
    """Return what may be done with a moment now."""
    legal = LEGAL[find_state(life, ended_at, now)]
    # What is over would be resolved at once by muting it.
    return [action for action in legal if action is not Action.MUTE or ended_at is None]


def act(life: MomentLife, wish: Wish, *, ended_at: datetime | None, now: datetime) -> MomentLife:
    """Return the life after a wish; the same one when it asks for nothing new.

    Raises:
        ConflictError: The action leads nowhere from here; the text says which do.
        InvalidError: A moment cannot be shelved until then.
    """
    moved = _move(life, wish, ended_at=ended_at, now=now) if wish.action else life
    return replace(moved, label=wish.label) if wish.is_labelled else moved


def _move(life: MomentLife, wish: Wish, *, ended_at: datetime | None, now: datetime) -> MomentLife:
    settled = _settle(life, ended_at, now)
    wanted = _aim(settled, wish)
    if any(_is_same(wanted, known) for known in (life, settled)):
        return life
    legal = list_legal(life, ended_at, now)
    if wish.action not in legal:
        over = "" if ended_at is None else " and over"
        raise ConflictError(
            f"The moment is {settled.state}{over}; {wish.action} is not possible."
            f" Possible: {', '.join(legal)}."
        )
    if wish.until is not None and not now < wish.until <= now + SHELF_MAX:
        raise InvalidError(f"until: has to lie in the future, {SHELF_MAX.days} days ahead at most.")
    return wanted


def _settle(life: MomentLife, ended_at: datetime | None, now: datetime) -> MomentLife:
    """Return a life as if its state had been chosen, and not become so with time."""
    state = find_state(life, ended_at, now)
    if state == "shelved":
        return life
    return replace(life, state=state, former_state=None, shelved_until=None)


def _aim(settled: MomentLife, wish: Wish) -> MomentLife:
    match wish.action:
        case Action.SHELVE | Action.MUTE:
            former = settled.former_state if settled.state == "shelved" else settled.state
            return replace(settled, state="shelved", former_state=former, shelved_until=wish.until)
        case Action.ACKNOWLEDGE:
            return _leave(settled, "acknowledged")
        case Action.RESOLVE:
            return _leave(settled, "resolved")
        case _:
            return _leave(settled, "open")


def _leave(life: MomentLife, state: Literal["open", "acknowledged", "resolved"]) -> MomentLife:
    return replace(life, state=state, former_state=None, shelved_until=None)


def _is_same(one: MomentLife, other: MomentLife) -> bool:
    return (one.state, one.shelved_until) == (other.state, other.shelved_until)


def read_life(row: Mapping[str, Any]) -> MomentLife:
    """Return the life in a stored moment."""
    return MomentLife(
        state=row["state"],
        former_state=row["former_state"],
        shelved_until=row["shelved_until"],
        label=row["label"],
        version=row["version"],
    )


def show_moment(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return a stored moment as clients read it at a time."""
    shown = dict(row)
    del shown["former_state"]
    shown["state"] = find_state(read_life(row), row["ended_at"], now)
    if shown["state"] != "shelved":
        shown["shelved_until"] = None
    return shown


def write_moment(moment: Moment) -> dict[str, object]:
    """Return a moment as the flow stores it."""
    fields = asdict(moment)
    for name in ("last_at", "spread", "told_by", "is_confirmed", "is_withdrawn"):
        del fields[name]
    metadata = {
        "band": find_band(moment),
        "told_by": moment.told_by,
        "confirmed": moment.is_confirmed,
        "withdrawn": moment.is_withdrawn,
    }
    return {**fields, "metadata": metadata, "description": describe_moment(moment)}
