"""The API as a process: ``python -m api``."""

import ipaddress
import sys
from contextlib import suppress

from api.app import build_app
from api.servers import LiveServer
from core.errors import SettingsInvalidError, TelemetraError
from core.logging import configure_logging
from core.settings import Settings, load_settings


def refuse_open_doors(settings: Settings) -> None:
    """Refuse to listen beyond this machine while nobody has to show a key.

    Raises:
        SettingsInvalidError: API_HOST is reachable from elsewhere and API_OPEN is not set.
    """
    if settings.api_open or _is_loopback(settings.api_host):
        return
    raise SettingsInvalidError(
        f"API_HOST {settings.api_host} can be reached from other machines, and no key is asked for."
        " Use 127.0.0.1, or set API_OPEN=true where the network itself keeps strangers out."
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def main() -> None:
    """Read the settings and serve."""
    try:
        settings = load_settings()
        configure_logging("api", level=settings.log_level, as_json=settings.log_as_json)
        refuse_open_doors(settings)
        app = build_app(settings)
    except TelemetraError as error:
        sys.exit(error.detail)
    server = LiveServer(app, host=settings.api_host, port=settings.api_port)
    with suppress(KeyboardInterrupt):
        server.run()
    if not server.started:
        sys.exit(1)


if __name__ == "__main__":
    main()
