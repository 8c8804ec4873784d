"""The connector of Twitch as a process: ``telemetra connect twitch --help``."""

from core.loading import loading

with loading():
    import sys
    from argparse import Namespace
    from collections.abc import Iterator
    from contextlib import contextmanager
    from hashlib import blake2b

    from core.clock import Clock
    from core.errors import SettingsInvalidError
    from core.settings import Settings
    from core.tasks import run_together
    from streaming.connectors.base import Source, keep_reading
    from streaming.connectors.health import Health
    from streaming.connectors.offsets import open_offsets
    from streaming.connectors.outlets import Outlet
    from streaming.connectors.pauses import BackOff
    from streaming.connectors.processes import run_process
    from streaming.connectors.twitch.broadcasts import BroadcastSource
    from streaming.connectors.twitch.chats import ChatPolicy, ChatSource
    from streaming.connectors.twitch.helix import HelixAccess
    from streaming.connectors.twitch.options import read_options
    from streaming.connectors.twitch.sockets import SocketPolicy


class TwitchSource:
    """Chats, and beside them what the web API knows; either goes on without the other."""

    def __init__(self, chats: ChatSource, broadcasts: BroadcastSource, clock: Clock) -> None:
        self._chats = chats
        self._broadcasts = broadcasts
        self._clock = clock

    async def read(self, outlet: Outlet, health: Health) -> None:
        """Read both until cancelled."""
        back_off = BackOff(self._clock)
        await run_together(
            self._chats.read(outlet, health),
            keep_reading(lambda: self._broadcasts.read(outlet, health), health, back_off),
        )


@contextmanager
def build(options: Namespace, settings: Settings, clock: Clock) -> Iterator[Source]:
    """Lend the source that the options name.

    Raises:
        SettingsInvalidError: Of id and secret only one is set.
    """
    channels, prefix = options.channels, options.prefix
    policy = ChatPolicy(SocketPolicy(options.chat_url))
    chats = ChatSource(channels, prefix, clock, policy)
    access = _find_access(options, settings)
    if access is None:
        yield chats
        return
    # Another set of channels, or another prefix, knows nothing of this one's broadcasts.
    name = blake2b(f"{prefix} {channels}".encode(), digest_size=6).hexdigest()
    with open_offsets(settings.data_dir, f"twitch-{name}") as offsets:
        broadcasts = BroadcastSource(channels, prefix, access, offsets, clock)
        yield TwitchSource(chats, broadcasts, clock)


def _find_access(options: Namespace, settings: Settings) -> HelixAccess | None:
    client_id, secret = settings.twitch_client_id, settings.twitch_client_secret
    if client_id is None and secret is None:
        return None
    if client_id is None or secret is None:
        raise SettingsInvalidError("TWITCH_CLIENT_ID and TWITCH_CLIENT_SECRET belong together.")
    return HelixAccess(client_id, secret, options.helix_url.rstrip("/"), options.token_url)


if __name__ == "__main__":
    run_process("twitch", read_options(sys.argv[1:]), build)
