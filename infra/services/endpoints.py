"""Endpoints: the port and the password by which clients reach a private server.

FOLDER/port       chosen once, kept as long as nobody else takes it
FOLDER/password   random, readable by its owner only
"""

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import ServiceMissingError
from infra.services.ports import choose_port, is_port_free

PASSWORD_BYTES = 24


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a private server listens on loopback, and what it asks for."""

    port: int
    password: str = field(repr=False)


def find_endpoint(folder: Path) -> Endpoint | None:
    """Return the endpoint kept in a folder, or None when there is none."""
    port, password = _read(folder / "port"), _read(folder / "password")
    return Endpoint(int(port), password) if port.isdigit() and password else None


def get_endpoint(folder: Path) -> Endpoint:
    """Return the endpoint kept in a folder.

    Raises:
        ServiceMissingError: The server was never prepared.
    """
    if (endpoint := find_endpoint(folder)) is None:
        raise ServiceMissingError(f"Nothing was prepared in {folder}. Run `telemetra up` first.")
    return endpoint


def keep_endpoint(folder: Path, *, in_use_by_us: bool) -> Endpoint:
    """Return the kept endpoint; make a missing one, and change a port that somebody else took.

    Args:
        folder: Where it is kept.
        in_use_by_us: Whether the server of this folder runs already.

    Raises:
        ServiceMissingError: No port is free.
    """
    kept = find_endpoint(folder)
    if kept is not None and (in_use_by_us or is_port_free(kept.port)):
        return kept
    password = kept.password if kept else _read(folder / "password")
    endpoint = Endpoint(choose_port(), password or secrets.token_hex(PASSWORD_BYTES))
    write_private(folder / "password", f"{endpoint.password}\n")
    write_private(folder / "port", f"{endpoint.port}\n")
    return endpoint


def write_private(file: Path, text: str) -> None:
    """Replace a file at once by one that only its owner can read."""
    staging = file.with_name(f"{file.name}.new")
    staging.unlink(missing_ok=True)
    descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as target:
        target.write(text)
        target.flush()
        os.fsync(target.fileno())
    staging.replace(file)


def _read(file: Path) -> str:
    return file.read_text().strip() if file.is_file() else ""
