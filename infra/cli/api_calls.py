"""API calls: what commands ask of the product that runs, over HTTP.

Whatever the API refuses becomes one line: its own words, and what to do where it wants a key.
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx
import orjson

from core.errors import (
    RateLimitedError,
    ServiceMissingError,
    TelemetraError,
    UnauthorizedError,
)
from core.settings import Settings
from infra.cli.addresses import format_url
from infra.supervisor.states import find_running

TIMEOUT_S: Final = 30.0
"""An API that takes longer is as good as away."""

LISTED_MAX: Final = 200
"""Moments that the API puts on a page."""


class ApiCaller:
    """Asks one API, one question after the other."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self.url = url.rstrip("/")
        self.headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        """What shows the key, where there is one."""

        self._client = httpx.Client(timeout=TIMEOUT_S, headers=self.headers, trust_env=False)

    def __enter__(self) -> Self:
        """Ask with it."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the connection."""
        self._client.close()

    def get(self, path: str, query: Mapping[str, str | int | float]) -> dict[str, Any]:
        """Return what the API tells.

        Raises:
            TelemetraError: It refused, or did not answer.
        """
        return self._ask("GET", path, params=dict(query))

    def patch(self, path: str, given: Mapping[str, object]) -> dict[str, Any]:
        """Have something changed, and return it.

        Raises:
            TelemetraError: It refused, or did not answer.
        """
        return self._ask("PATCH", path, json=dict(given))

    def post(
        self, path: str, given: Mapping[str, object], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        """Have something done, and return what became of it.

        Raises:
            TelemetraError: It refused, or did not answer.
        """
        return self._ask("POST", path, json=dict(given), headers=dict(headers or {}))

    def get_page(self, path: str, query: Mapping[str, str | int | float]) -> bytes:
        """Return what the API tells as it came.

        Raises:
            TelemetraError: It refused, or did not answer.
        """
        return self._send("GET", path, params=dict(query))

    def _ask(self, method: str, path: str, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
        try:
            told: dict[str, Any] = orjson.loads(self._send(method, path, **asked))
        except orjson.JSONDecodeError as error:
            raise ServiceMissingError(f"{self.url} is no API of Telemetra.") from error
        return told

    def _send(self, method: str, path: str, **asked: Any) -> bytes:  # noqa: ANN401
        try:
            answer = self._client.request(method, f"{self.url}/api/v1{path}", **asked)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise ServiceMissingError(
                f"No API answers at {self.url} ({type(error).__name__}). `telemetra status`?"
            ) from error
        if not answer.is_success:
            raise _read_problem(answer)
        return answer.content


def open_api(settings: Settings, url: str | None, api_key: str | None) -> ApiCaller:
    """Return a caller of the API that is named, or of the one that runs here."""
    record = None if url else find_running(settings.data_dir)
    home = format_url(settings.api_host, settings.api_port)
    return ApiCaller(url or (record.api_url if record else home), api_key or settings.api_key)


def _read_problem(answer: httpx.Response) -> TelemetraError:
    try:
        detail = str(orjson.loads(answer.content)["detail"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ServiceMissingError(
            f"{answer.request.url.copy_with(query=None)} answered {answer.status_code}."
        )
    if answer.status_code == UnauthorizedError.status:
        return UnauthorizedError(f"{detail} Give one with --api-key or API_KEY.")
    # What another try may bring is told apart from what it cannot.
    is_passing = answer.is_server_error or answer.status_code == RateLimitedError.status
    return ServiceMissingError(detail) if is_passing else TelemetraError(detail)
