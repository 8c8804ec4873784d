"""Targets: the product that is loaded: where it is, whether it lets us in, which processes it has.

Everything that would make a whole run useless is found out here, before it begins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from core.settings import Settings
from infra.supervisor.states import find_running
from streaming.ingest.clients import Answer, ApiAwayError, ApiClient

SCOPES: Final = {
    "senders": "ingest and read (to count what arrived)",
    "readers": "ingest (for the feed) and read",
    "watchers": "ingest (for the feed) and read",
}


class TargetError(Exception):
    """The product cannot be loaded; the text says on one line why and what to do."""


@dataclass(frozen=True, slots=True)
class Target:
    """A product."""

    url: str
    processes: tuple[tuple[str, int], ...] = ()
    """Names and process ids, when it runs on this machine for this data folder."""


def find_target(settings: Settings, url: str | None) -> Target:
    """Return what runs for the data folder, or what is behind an address.

    Raises:
        TargetError: Nothing runs, and no address was given.
    """
    record = find_running(settings.data_dir)
    if record is None and url is None:
        raise TargetError(
            f"Nothing runs for {settings.data_dir}. Start it with `make up ARGS=--detach`, or give"
            " an address with URL=http://…"
        )
    if record is None or (url is not None and url != record.api_url):
        return Target(url or "")
    running = [(one.name, one.pid) for one in record.processes if one.pid is not None]
    return Target(record.api_url, tuple(running))


def require_welcome(target: Target, key: str | None, scenarios: Sequence[str]) -> None:
    """Make sure that requests are taken.

    Raises:
        TargetError: They are not.
    """
    client = ApiClient(target.url, key)
    json = {"Content-Type": "application/json"}
    try:
        answers = [
            client.request("GET", "/livez", None, {}),
            client.request("GET", "/api/v1/streams?limit=1", None, {}),
            client.request("POST", "/api/v1/ingest", b"[]", json),
        ]
    except ApiAwayError as error:
        raise TargetError(
            f"{target.url} does not answer ({error}). Is it the address of a running product?"
        ) from None
    finally:
        client.close()
    for answer in answers:
        if refusal := describe_refusal(answer, key, scenarios):
            raise TargetError(f"{target.url}: {refusal}")


def describe_refusal(answer: Answer, key: str | None, scenarios: Sequence[str]) -> str | None:
    """Return why a request was not taken and what to do; None when it was."""
    if answer.is_success:
        return None
    scopes = "; ".join(f"{name} need {SCOPES[name]}" for name in scenarios)
    match answer.status:
        case 401 if key is None:
            return f"it asks for a key. Give one with API_KEY=tk_…; {scopes}."
        case 401:
            return "API_KEY is no good key: wrong, revoked or expired."
        case 403:
            return f"API_KEY does not allow this; {scopes}."
        case 429:
            return (
                f"it refuses more requests for now (429): {_read_detail(answer)} Load needs"
                " RATE_LIMIT_PER_MINUTE=0, or a limit above what it asks."
            )
        case _:
            return f"it answered {answer.status}: {_read_detail(answer)}"


def _read_detail(answer: Answer) -> str:
    try:
        return " ".join(str(orjson.loads(answer.body)["detail"]).split())
    except (ValueError, KeyError, TypeError):
        return " ".join(answer.excerpt.split())
