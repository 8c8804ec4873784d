"""Posts: one HTTP request, and what its answer means.

No redirect is followed: what an admin wrote down is where alerts go. Of an answer no more is read
than a person reads of it, and nothing of it is kept that the target may keep secret.
"""

from typing import Final

import httpx

from core.alert_routes import AlertRoute, hide_secrets
from core.deliveries import Attempt, Outcome, cut_detail, judge_answer, read_retry_after
from core.settings import VERSION

ANSWER_BYTES_MAX: Final = 4096
"""Read of an answer; the rest of it stays where it is."""

USER_AGENT: Final = f"Telemetra/{VERSION}"

_TROUBLES: Final[dict[type[httpx.TransportError], str]] = {
    httpx.ConnectError: "Nobody answers there.",
    httpx.ConnectTimeout: "Nobody answered in time.",
    httpx.ReadTimeout: "There was no answer in time.",
    httpx.ReadError: "The connection broke.",
    httpx.RemoteProtocolError: "The connection ended without an answer.",
}


async def post(
    client: httpx.AsyncClient,
    route: AlertRoute,
    body: bytes,
    *,
    path: str = "",
    headers: dict[str, str] | None = None,
) -> Attempt:
    """Post a body to a route's target, or below it."""
    given = {"User-Agent": USER_AGENT, "Content-Type": "application/json", **(headers or {})}
    url = route.target.rstrip("/") + path if path else route.target
    try:
        async with client.stream(
            "POST", url, content=body, headers=given, timeout=route.time_out_s
        ) as answer:
            said = "" if answer.is_success else await _read_some(answer)
    except httpx.TransportError as error:
        # The error's own text may name the target.
        words = _TROUBLES.get(type(error), f"It could not be sent: {type(error).__name__}.")
        return Attempt(Outcome.RETRIED, None, words)
    except (httpx.InvalidURL, ValueError):
        return Attempt(Outcome.REFUSED, None, "The target is no URL.")
    patience = read_retry_after(answer.headers.get("Retry-After"))
    detail = cut_detail(hide_secrets(said, route.target))
    return judge_answer(answer.status_code, detail, patience)


async def _read_some(answer: httpx.Response) -> str:
    said = b""
    async for part in answer.aiter_bytes(ANSWER_BYTES_MAX):
        said += part[: ANSWER_BYTES_MAX - len(said)]
        if len(said) >= ANSWER_BYTES_MAX:
            break
    return said.decode(errors="replace")
