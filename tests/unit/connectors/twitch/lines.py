"""Lines of a chat as the service writes them, made from what they mean."""

from typing import Final

ESCAPES: Final = {"\\": r"\\", ";": r"\:", " ": r"\s", "\r": r"\r", "\n": r"\n"}


def escape(value: str) -> str:
    """Return the value of a tag as it is written."""
    return "".join(ESCAPES.get(character, character) for character in value)


def write_tags(tags: dict[str, object]) -> str:
    """Return tags as they stand before a message."""
    return "@" + ";".join(f"{name}={escape(str(value))}" for name, value in tags.items())


def say(channel: str, user: str, text: str, **tags: object) -> str:
    """Return a chat message; an underscore in a tag's name stands for a hyphen."""
    told = {name.replace("_", "-"): value for name, value in tags.items()}
    return f"{write_tags(told)} :{user}!{user}@{user}.tmi.twitch.tv PRIVMSG #{channel} :{text}"


def notify(channel: str, notice: str, text: str | None = None, **tags: object) -> str:
    """Return a notice about a user."""
    told = {"msg-id": notice} | {name.replace("_", "-"): value for name, value in tags.items()}
    end = "" if text is None else f" :{text}"
    return f"{write_tags(told)} :tmi.twitch.tv USERNOTICE #{channel}{end}"
