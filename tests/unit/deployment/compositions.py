"""Compositions: ``infra/compose.yaml`` as the tests read it.

Aliases and merges are resolved by the parser; what stands in ``${…}`` is resolved here, by the
rules of Compose that the file uses.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped,unused-ignore]

from core.settings import REPOSITORY

INFRA: Final = REPOSITORY / "infra"
COMPOSE: Final = INFRA / "compose.yaml"

VARIABLE: Final = re.compile(r"\$\{(?P<name>\w+)(?::(?P<rule>[?-])(?P<text>[^}]*))?\}")

SECRETS: Final = {
    f"{name}_PASSWORD": f"{name.lower()}word0123"
    for name in ("POSTGRES", "READER", "REDIS", "GRAFANA")
}
"""The variables without which the file is refused."""


class UnsetError(Exception):
    """A variable that has to be set is not."""


def read_yaml(path: Path) -> Any:
    """Return what a YAML file says."""
    return yaml.load(path.read_text(), yaml.CSafeLoader)


def read_services() -> dict[str, dict[str, Any]]:
    """Return the services as they are written."""
    services: dict[str, dict[str, Any]] = read_yaml(COMPOSE)["services"]
    return services


def read_our_services() -> dict[str, dict[str, Any]]:
    """Return the services that run our image."""
    return {name: service for name, service in read_services().items() if "build" in service}


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """Put variables into a text.

    Raises:
        UnsetError: One that has to be set is not.
    """

    def replace(match: re.Match[str]) -> str:
        name, rule, default = match["name"], match["rule"], match["text"]
        if variables.get(name):
            return variables[name]
        if rule == "-":
            return str(default)
        raise UnsetError(name)

    return VARIABLE.sub(replace, text).replace("$$", "$")


def read_environment(service: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment a container gets when nothing but the passwords is set."""
    given: Mapping[str, str | None] = service.get("environment", {})
    return {name: interpolate(text, SECRETS) for name, text in given.items() if text is not None}
