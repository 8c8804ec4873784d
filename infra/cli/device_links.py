"""Device links: what one device tells, over the API's socket, until somebody stops it."""

from collections.abc import Iterator
from typing import Final
from urllib.parse import quote

import orjson
from websockets.sync.client import ClientConnection, connect

from infra.cli.api_calls import ApiCaller
from infra.cli.live_links import OPEN_S_MAX, LiveLink, Message

LOOK_S: Final = 0.2
"""Between two looks at the clock while nothing comes: a pause of a script is as exact."""


class DeviceLink(LiveLink):
    """Listens to one device."""

    def __init__(self, api: ApiCaller, device_id: str) -> None:
        super().__init__(api, device_id, ())
        base = f"ws{api.url.removeprefix('http')}"
        self._url = f"{base}/ws/devices?device={quote(device_id, safe='')}"

    def _connect(self) -> ClientConnection:
        return connect(
            self._url, additional_headers=self._headers, open_timeout=OPEN_S_MAX, proxy=None
        )

    def _read(self, socket: ClientConnection) -> Iterator[Message | None]:
        while True:
            try:
                message: Message = orjson.loads(socket.recv(timeout=LOOK_S))
            except TimeoutError:
                yield None
                continue
            self._remember(message)
            yield message
