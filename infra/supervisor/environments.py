"""Environments: the one place where processes get their environment from."""

import os
from collections.abc import Mapping


def extend_environment(added: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment with more variables; these win."""
    inherited = dict(os.environ)  # noqa: TID251 - children inherit PATH, locale, proxies and so on.
    return inherited | dict(added)
