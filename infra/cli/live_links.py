"""Live links: one stream over the API's live socket, again and again until somebody stops it.

    connect ─► messages … ─► broken ─► wait a little longer each time ─► connect with ``resume``

The API keeps what nobody may miss for clients that come back, so a break of minutes loses nothing;
what it could not keep it says, and the caller reads it over HTTP.
"""

import random
import time
from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import quote

import orjson
from websockets.exceptions import ConnectionClosed, InvalidURI, WebSocketException
from websockets.sync.client import ClientConnection, connect

from core.errors import ServiceMissingError, TelemetraError, UnauthorizedError
from infra.cli.api_calls import ApiCaller

Message: TypeAlias = dict[str, Any]

TICK_S: Final = 1.0
"""Between two looks at the clock while nothing comes."""

OPEN_S_MAX: Final = 10.0
PAUSE_S_MIN: Final = 1.0
PAUSE_S_MAX: Final = 30.0

REFUSED: Final = {4401: "Give one with --api-key or API_KEY.", 4403: "", 4004: ""}
"""Close codes after which another try brings nothing: no good key, not allowed, no such stream."""


class LiveLink:
    """Listens to one stream."""

    def __init__(self, api: ApiCaller, stream_id: str, kinds: tuple[str, ...]) -> None:
        self._url = f"ws{api.url.removeprefix('http')}/ws/live/{quote(stream_id, safe='')}"
        self._kinds = ",".join(kinds)
        self._headers = api.headers
        self._position: int | None = None
        self._asked_pause_s: float | None = None
        self.is_connected = False

    def listen(self) -> Iterator[Message | None]:
        """Yield messages, and None at every tick without one; connect again when that breaks.

        Raises:
            TelemetraError: The API does not let us in, or there is no such stream.
        """
        pause_s = PAUSE_S_MIN
        while True:
            try:
                with self._connect() as socket:
                    self.is_connected = True
                    for message in self._read(socket):
                        pause_s = PAUSE_S_MIN
                        yield message
            except ConnectionClosed as error:
                _raise_refused(error)
            except InvalidURI as error:
                raise ServiceMissingError(f"{self._url} is no address of an API.") from error
            except (OSError, WebSocketException):
                # It is away; the picture says so until it is back.
                pass
            finally:
                self.is_connected = False
            yield from self._pause(pause_s)
            pause_s = min(pause_s * 2, PAUSE_S_MAX)

    def _connect(self) -> ClientConnection:
        resume = "" if self._position is None else f"&resume={self._position}"
        return connect(
            f"{self._url}?types={self._kinds}{resume}",
            additional_headers=self._headers,
            open_timeout=OPEN_S_MAX,
            proxy=None,
        )

    def _read(self, socket: ClientConnection) -> Iterator[Message | None]:
        while True:
            try:
                message: Message = orjson.loads(socket.recv(timeout=TICK_S))
            except TimeoutError:
                yield None
                continue
            self._remember(message)
            yield message

    def _remember(self, message: Message) -> None:
        if message["type"] == "reconnect":
            self._asked_pause_s = message["delay_ms"] / 1000
        # That of a greeting is newer than what was missed.
        elif message["type"] != "connected" or self._position is None:
            self._position = message.get("position", self._position)

    def _pause(self, pause_s: float) -> Iterator[None]:
        """Wait as long as we were asked to, or a time that not every client waits alike."""
        asked_s, self._asked_pause_s = self._asked_pause_s, None
        spread_s = random.uniform(0.5, 1) * pause_s  # noqa: S311 (no secret)
        until = time.monotonic() + (spread_s if asked_s is None else asked_s)
        while (left_s := until - time.monotonic()) > 0:
            yield None
            time.sleep(min(left_s, TICK_S))


def _raise_refused(closed: ConnectionClosed) -> None:
    code = closed.rcvd.code if closed.rcvd else None
    if code not in REFUSED or closed.rcvd is None:
        return
    detail = f"{closed.rcvd.reason or 'The API closed the socket.'} {REFUSED[code]}".strip()
    raise UnauthorizedError(detail) if code == 4401 else TelemetraError(detail)
