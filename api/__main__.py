"""The API as a process: ``python -m api``."""

from core.loading import loading

with loading():
    import asyncio
    import sys
    from contextlib import suppress

    import asyncpg

    from api.app import build_app
    from api.servers import LiveServer
    from core.errors import SettingsInvalidError, TelemetraError
    from core.logging import configure_logging
    from core.settings import Settings, load_settings
    from db.api_keys import KeyStore
    from db.pool import AWAY, CONNECT_TIMEOUT_S


def refuse_open_doors(settings: Settings, keys: int | None = None) -> None:
    """Refuse to listen beyond this machine while nobody could show a key.

    Args:
        settings: Where to listen, and whether that is meant.
        keys: How many good keys there are; None when the database could not be asked.

    Raises:
        SettingsInvalidError: API_HOST is reachable from elsewhere, and nothing guards it.
    """
    if settings.api_open or settings.is_on_loopback:
        return
    if settings.api_keys != "off" and settings.oidc_issuer is not None:
        return
    # With API_KEYS=required the door stays shut however long the database takes to come back.
    if settings.api_keys != "off" and (keys or (keys is None and settings.api_keys == "required")):
        return
    raise SettingsInvalidError(
        f"API_HOST {settings.api_host} can be reached from other machines, and no key is asked for."
        " Make one with `telemetra keys create`, use 127.0.0.1, or set API_OPEN=true where the"
        " network itself keeps strangers out."
    )


async def count_keys(settings: Settings) -> int | None:
    """Return how many good keys there are; None when the database cannot be asked."""
    try:
        connection = await asyncpg.connect(
            settings.require_database_url(), timeout=CONNECT_TIMEOUT_S
        )
        try:
            return await KeyStore(connection).count_good()
        finally:
            await connection.close()
    except (*AWAY, asyncpg.PostgresError):
        return None


def main() -> None:
    """Read the settings and serve."""
    try:
        settings = load_settings()
        configure_logging("api", level=settings.log_level, as_json=settings.log_as_json)
        keys = None if settings.is_on_loopback else asyncio.run(count_keys(settings))
        refuse_open_doors(settings, keys)
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
