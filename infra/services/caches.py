"""Caches: where downloads that any clone on this machine can use are kept."""

import os
from collections.abc import Mapping
from pathlib import Path


def find_cache_root(environment: Mapping[str, str] | None = None) -> Path:
    """Return ``$TELEMETRA_CACHE_DIR``, else ``telemetra`` in the user's cache folder.

    Read from the environment and not from the settings: it belongs to the machine, and all
    installations on it share it.
    """
    variables = os.environ if environment is None else environment  # noqa: TID251 - said above.
    if own := variables.get("TELEMETRA_CACHE_DIR"):
        return Path(own).expanduser().resolve()
    if xdg := variables.get("XDG_CACHE_HOME"):
        return Path(xdg).expanduser().resolve() / "telemetra"
    return Path.home() / ".cache" / "telemetra"
