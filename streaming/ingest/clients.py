"""Clients: one kept-alive HTTP connection to the API, with nothing but the standard library."""

import http.client
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

TIMEOUT_S: Final = 30.0
"""An API that takes longer for one body is treated as away."""

EXCERPT_BYTES_MAX: Final = 300
"""Of an answer's body in the log; a problem document says what is wrong at its beginning."""


class ApiAwayError(Exception):
    """The API could not be reached, or hung up before it had answered."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the API answered."""

    status: int
    body: bytes
    retry_after: str | None = None

    @property
    def is_success(self) -> bool:
        """Whether the request was carried out."""
        return 200 <= self.status < 300

    @property
    def is_final(self) -> bool:
        """Whether asking again cannot change the answer."""
        return self.is_success or (400 <= self.status < 500 and self.status != 429)

    @property
    def excerpt(self) -> str:
        """The beginning of the body, for the log."""
        return self.body[:EXCERPT_BYTES_MAX].decode(errors="replace")


class ApiClient:
    """Sends requests one after the other, each once."""

    def __init__(self, url: str, api_key: str | None = None) -> None:
        parts = urlsplit(url)
        kind = (
            http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        )
        self._connection = kind(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._root = parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}

    def request(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> Answer:
        """Send one request and return the answer, whatever its status.

        Raises:
            ApiAwayError: There was none.
        """
        try:
            self._connection.request(method, self._root + path, body, self._headers | headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, answer.read(), answer.getheader("Retry-After"))
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise ApiAwayError(f"{type(error).__name__}: {error}") from error

    def close(self) -> None:
        """Close the connection; the next request opens it again."""
        self._connection.close()
