"""Failures: how much the command line says of one."""

from core.errors import SettingsInvalidError
from core.settings import load_settings


def wants_traceback() -> bool:
    """Whether DEBUG is set, in the environment or in ``.env``."""
    try:
        return load_settings().debug
    except SettingsInvalidError:
        return False
