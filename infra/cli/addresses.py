"""Addresses: where the API will listen, and how it is reached from here."""

import socket

from core.errors import SettingsInvalidError
from core.settings import Settings

WILDCARDS = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - to recognise them.


def choose_api_port(settings: Settings) -> int:
    """Choose the API's port; one that was set is taken or refused, never replaced.

    Raises:
        SettingsInvalidError: The port that was set is taken, or the host is not of this machine.
    """
    host, port = settings.api_host, settings.api_port
    if port != 0 and is_port_free(host, port):
        return port
    if port != 0 and "api_port" in settings.model_fields_set:
        raise SettingsInvalidError(
            f"API_PORT {port} is taken by another program. "
            "Stop that one, or set API_PORT=0 for a free port."
        )
    with _bind(host, 0) as probe:
        return int(probe.getsockname()[1])


def format_url(host: str, port: int) -> str:
    """Write the URL under which this machine reaches the API."""
    reachable = WILDCARDS.get(host, host)
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


def is_port_free(host: str, port: int) -> bool:
    """Whether a server could listen there now."""
    try:
        _bind(host, port).close()
    except OSError:
        return False
    return True


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror:
        raise SettingsInvalidError(f"API_HOST: {host} is no address of this machine.") from None
    probe = socket.socket(family, kind, protocol)
    try:
        # As servers do it: a port is free although old connections linger on it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)
    except OSError:
        probe.close()
        raise
    return probe
