"""Templates: which topics are asked for, and where in them stream and channel stand.

    sensors/{stream}/{channel}            asks for sensors/+/+
    factory/+/{stream}/{channel}          a level that says nothing
    $share/lines/plant/{stream}/#         shared with others of the group, whatever lies below
    tele-{stream}/state                   asks for +/state, and takes what begins with tele-

Pure. A template that cannot work is refused with what is wrong, before anything is connected.
"""

import re
from dataclasses import dataclass
from typing import Final

from core.errors import SettingsInvalidError

PLACEHOLDERS: Final = ("stream", "channel")

TOPIC_BYTES_MAX: Final = 65_535
"""What the protocol can carry."""

_SHARED: Final = "$share/"
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


@dataclass(frozen=True, slots=True)
class Place:
    """What a topic says about its messages."""

    stream: str | None
    channel: str | None


@dataclass(frozen=True, slots=True)
class Template:
    """A filter to subscribe to, and how its topics are read."""

    filter: str
    """As brokers understand it, the name of a shared group included."""

    pattern: re.Pattern[str]
    names: frozenset[str]
    """Of the placeholders that stand in it."""

    def match(self, topic: str) -> Place | None:
        """Return what a topic says, or None when it is not one of these."""
        found = self.pattern.fullmatch(topic)
        if found is None:
            return None
        said = found.groupdict()
        return Place(said.get("stream"), said.get("channel"))


def read_template(text: str) -> Template:
    """Read a template.

    Raises:
        SettingsInvalidError: It cannot work; the text says why.
    """
    shared, levels = _split(text)
    if wrong := _find_wrong(text, levels):
        raise SettingsInvalidError(f"The topic template {text!r} cannot work: {wrong}.")
    names = _PLACEHOLDER.findall("/".join(levels))
    asked = "/".join("+" if _PLACEHOLDER.search(level) else level for level in levels)
    return Template(shared + asked, _build_pattern(levels), frozenset(names))


def _split(text: str) -> tuple[str, list[str]]:
    """Return the prefix of a shared group, if there is one, and the levels."""
    if not text.startswith(_SHARED):
        return "", text.split("/")
    group, _, rest = text.removeprefix(_SHARED).partition("/")
    return f"{_SHARED}{group}/", rest.split("/")


def _find_wrong(text: str, levels: list[str]) -> str | None:
    """Return why a template cannot work."""
    if levels == [""]:
        return "it names no topic"
    if len(text.encode(errors="replace")) > TOPIC_BYTES_MAX:
        return f"it is longer than {TOPIC_BYTES_MAX} bytes"
    if not text.isprintable():
        return "it has a sign that cannot be printed"
    return _find_wrong_group(text) or _find_wrong_names(levels) or _find_wrong_signs(levels)


def _find_wrong_group(text: str) -> str | None:
    if not text.startswith(_SHARED):
        return None
    group = text.removeprefix(_SHARED).partition("/")[0]
    if not group or set(group) & set("+#{}"):
        return "$share/ needs the plain name of a group and then the topic"
    return None


def _find_wrong_names(levels: list[str]) -> str | None:
    names = _PLACEHOLDER.findall("/".join(levels))
    if unknown := [name for name in names if name not in PLACEHOLDERS]:
        return f"{{{unknown[0]}}} is neither {{stream}} nor {{channel}}"
    if len(names) != len(set(names)):
        return f"{{{names[0]}}} stands in it twice"
    if any("}{" in level for level in levels):
        return "nothing tells where one placeholder ends and the next begins"
    if any(set(_PLACEHOLDER.sub("", level)) & set("{}") for level in levels):
        return "a curly bracket is open"
    return None


def _find_wrong_signs(levels: list[str]) -> str | None:
    for place, level in enumerate(levels):
        if "+" in level and level != "+":
            return "+ stands for a whole level"
        if "#" in level and (level != "#" or place != len(levels) - 1):
            return "# stands for all levels below, at the end"
    return None


def _build_pattern(levels: list[str]) -> re.Pattern[str]:
    body = levels[:-1] if levels[-1] == "#" else levels
    pattern = "/".join(map(_build_level, body))
    if levels[-1] == "#":
        # It takes the level above it, too.
        pattern = f"{pattern}(?:/.*)?" if body else ".*"
    return re.compile(pattern, re.DOTALL)


def _build_level(level: str) -> str:
    if level == "+":
        return "[^/]*"
    parts = _PLACEHOLDER.split(level)
    # Plain text and names take turns.
    return "".join(
        f"(?P<{part}>[^/]+)" if place % 2 else re.escape(part) for place, part in enumerate(parts)
    )
