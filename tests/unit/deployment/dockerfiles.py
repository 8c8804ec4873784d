"""Dockerfiles: the instructions of one, and what its build is allowed to see."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from core.settings import REPOSITORY

DOCKERFILE: Final = REPOSITORY / "infra" / "docker" / "Dockerfile"
IGNORED: Final = REPOSITORY / ".dockerignore"


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its continued lines joined."""

    name: str
    text: str
    stage: int
    """Number of the FROM it follows, itself included."""

    @property
    def sources(self) -> list[str]:
        """What a COPY takes from the build's own folder; nothing when it takes from a stage."""
        words = self.text.split()
        if self.name != "COPY" or words[0].startswith("--from"):
            return []
        return [word for word in words[:-1] if not word.startswith("--")]


def read_instructions(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", "", "\n".join(lines))
    instructions: list[Instruction] = []
    stage = -1
    for line in filter(None, map(str.strip, joined.splitlines())):
        name, _, rest = line.partition(" ")
        stage += name == "FROM"
        instructions.append(Instruction(name, rest.strip(), stage))
    return instructions


def is_ignored(path: str, patterns: list[str]) -> bool:
    """Tell whether a path stays out of the build: the last pattern that matches decides."""
    ignored = False
    for pattern in patterns:
        wanted = pattern.removeprefix("!")
        if _matches(path, wanted):
            ignored = not pattern.startswith("!")
    return ignored


def read_patterns(file: Path = IGNORED) -> list[str]:
    """Return the patterns of a ``.dockerignore``."""
    lines = map(str.strip, file.read_text().splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _matches(path: str, pattern: str) -> bool:
    """Tell whether a pattern names a path or a folder above it."""
    parts = path.split("/")
    above = ("/".join(parts[: end + 1]) for end in range(len(parts)))
    return any(re.fullmatch(_translate(pattern), part) for part in above)


def _translate(pattern: str) -> str:
    return "".join(_translate_parts(pattern))


def _translate_parts(pattern: str) -> Iterator[str]:
    for part in re.findall(r"\*\*/|\*\*|\*|\?|[^*?]+", pattern):
        match part:
            case "**/":
                yield "(?:.*/)?"
            case "**":
                yield ".*"
            case "*":
                yield "[^/]*"
            case "?":
                yield "[^/]"
            case _:
                yield re.escape(part)
