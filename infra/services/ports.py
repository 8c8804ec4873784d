"""Ports: free ones on loopback."""

import random
import socket

from core.errors import ServiceMissingError

LOOPBACK = "127.0.0.1"
PORT_RANGE = range(20_000, 30_000)
"""Below the range from which systems take ports for outgoing connections."""

TRIES_MAX = 200


def is_port_free(port: int) -> bool:
    """Tell whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def choose_port() -> int:
    """Return a port on which nobody listens.

    Random rather than the next free one: copies that start at the same moment should not meet.

    Raises:
        ServiceMissingError: Every port that was tried is taken.
    """
    for port in random.sample(PORT_RANGE, TRIES_MAX):
        if is_port_free(port):
            return port
    raise ServiceMissingError(f"No free port on {LOOPBACK} between 20000 and 29999.")
