"""Helix: the web API that knows which channels are live, and how many watch.

An application shows itself with a token that it gets for its id and secret, and gets a new one when
the old one is refused.
"""

from asyncio import sleep
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import httpx
import structlog

from core.clock import Clock
from core.times import parse_time
from streaming.connectors.base import SourceAwayError

API_URL: Final = "https://api.twitch.tv/helix"
TOKEN_URL: Final = "https://id.twitch.tv/oauth2/token"  # noqa: S105 - an address, no secret.

LOGINS_MAX: Final = 100
"""Channels of one request, by the API's own limit."""

REMAINING_MIN: Final = 10
"""Requests left to others of the same application before this one waits for its next minute."""

RESET_S_MAX: Final = 60.0
"""A budget is for a minute; who names a later time is not believed."""

ANSWER_S: Final = 10.0

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class HelixAccess:
    """Where the API is, and who asks."""

    client_id: str
    client_secret: str = field(repr=False)
    api_url: str
    token_url: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """One stream of a channel, from its start to its end."""

    id: str
    login: str
    title: str
    category: str
    viewers: int
    started_at: datetime


class Helix:
    """Asks the API."""

    def __init__(self, http: httpx.AsyncClient, access: HelixAccess, clock: Clock) -> None:
        self._http = http
        self._access = access
        self._clock = clock
        self._token: str | None = None
        self._pause_s = 0.0

    async def list_live(self, logins: Sequence[str]) -> list[Broadcast]:
        """Return what channels broadcast now; a channel that is not live is not there.

        Raises:
            SourceAwayError: The API does not answer, or not to us.
        """
        found: list[Broadcast] = []
        for first in range(0, len(logins), LOGINS_MAX):
            answer = await self._ask(logins[first : first + LOGINS_MAX])
            found += _read_broadcasts(_read(answer, "/streams"))
        return found

    async def _ask(self, logins: Sequence[str]) -> httpx.Response:
        """Ask, and once more when the token was old or the budget used up."""
        answer = await self._get(logins)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            self._token = None
        elif answer.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return answer
        return await self._get(logins)

    async def _get(self, logins: Sequence[str]) -> httpx.Response:
        await sleep(self._pause_s)
        if self._token is None:
            self._token = await self._fetch_token()
        params = httpx.QueryParams({"first": LOGINS_MAX, "user_login": list(logins)})
        headers = {"Client-Id": self._access.client_id, "Authorization": f"Bearer {self._token}"}
        try:
            answer = await self._http.get(
                f"{self._access.api_url}/streams", params=params, headers=headers, timeout=ANSWER_S
            )
        except httpx.HTTPError as error:
            raise _explain(error) from error
        self._note_budget(answer)
        return answer

    async def _fetch_token(self) -> str:
        form = {
            "client_id": self._access.client_id,
            "client_secret": self._access.client_secret,
            "grant_type": "client_credentials",
        }
        try:
            answer = await self._http.post(self._access.token_url, data=form, timeout=ANSWER_S)
        except httpx.HTTPError as error:
            raise _explain(error) from error
        if answer.status_code in {400, 401, 403}:
            raise SourceAwayError(
                f"Twitch refuses TWITCH_CLIENT_ID with TWITCH_CLIENT_SECRET ({answer.status_code})."
                " Chat is read without them."
            )
        token = _read(answer, "the token").get("access_token")
        if not isinstance(token, str) or not token:
            raise SourceAwayError("Twitch gave no token.")
        return token

    def _note_budget(self, answer: httpx.Response) -> None:
        """Note how long to leave the API alone."""
        remaining = _read_number(answer.headers.get("Ratelimit-Remaining"))
        reset_s = _read_number(answer.headers.get("Ratelimit-Reset"))
        self._pause_s = 0.0
        is_used_up = answer.status_code == httpx.codes.TOO_MANY_REQUESTS
        if is_used_up or (remaining is not None and remaining < REMAINING_MIN):
            wait_s = RESET_S_MAX if reset_s is None else reset_s - self._clock.now_ms() / 1000
            self._pause_s = min(max(wait_s, 0.0), RESET_S_MAX)
            log.warning("budget_used_up", remaining=remaining, pause_seconds=self._pause_s)


def _read(answer: httpx.Response, what: str) -> dict[str, Any]:
    if not answer.is_success:
        raise SourceAwayError(f"Twitch answers {answer.status_code} to {what}.")
    try:
        found = answer.json()
    except ValueError:
        raise SourceAwayError(f"Twitch answers no JSON to {what}.") from None
    if not isinstance(found, dict):
        raise SourceAwayError(f"Twitch answers no object to {what}.")
    return found


def _read_broadcasts(page: dict[str, Any]) -> list[Broadcast]:
    try:
        return [
            Broadcast(
                id=str(item["id"]),
                login=item["user_login"].lower(),
                title=item["title"],
                category=item["game_name"],
                viewers=int(item["viewer_count"]),
                started_at=parse_time(item["started_at"]),
            )
            for item in page["data"]
            if item["type"] == "live"
        ]
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise SourceAwayError(f"Twitch describes streams in a new way: {error!r}.") from error


def _read_number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None


def _explain(error: httpx.HTTPError) -> SourceAwayError:
    return SourceAwayError(f"{type(error).__name__}: {error}")
