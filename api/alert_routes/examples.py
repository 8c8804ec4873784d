"""Examples of alert routes: what the pages of the API show."""

from typing import Any, Final

from api.deliveries.examples import DETAIL
from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/alert-routes"
ROUTE_ID: Final = "rte_0123456789abcdef"
ONE_PATH: Final = f"{PATH}/{ROUTE_ID}"

ROUTE: Final[dict[str, Any]] = {
    "route_id": ROUTE_ID,
    "name": "on call",
    "kind": "webhook",
    "enabled": True,
    "target": "https://hooks.example.com/…",
    "has_secret": True,
    "rate_per_minute": 60,
    "quiet": {
        "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
        "from": "22:00",
        "to": "07:00",
        "zone": "Europe/Berlin",
    },
    "critical_passes": True,
    "timeout_s": 10.0,
    "created_at": "2026-01-26T10:00:00Z",
    "created_by": "control room",
    "updated_at": "2026-01-26T10:00:00Z",
}
WISHES: Final[dict[str, Any]] = {
    "webhook": {
        "summary": "Signed CloudEvents",
        "value": {
            "name": "on call",
            "kind": "webhook",
            "target": "https://hooks.example.com/telemetra",
            "secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "rate_per_minute": 60,
            "quiet": ROUTE["quiet"],
        },
    },
    "alertmanager": {
        "summary": "An Alertmanager",
        "value": {"name": "ops", "kind": "alertmanager", "target": "http://alertmanager:9093"},
    },
    "apprise": {
        "summary": "A mail, a chat, and whatever else Apprise knows",
        "value": {
            "name": "mail",
            "kind": "apprise",
            "target": "mailtos://user:password@example.com?to=team@example.com",
        },
    },
}
CHANGES: Final[dict[str, Any]] = {
    "off": {"summary": "Send nothing there for now", "value": {"enabled": False}},
    "secret": {
        "summary": "Another secret",
        "value": {"secret": "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="},
    },
    "loud": {"summary": "No quiet hours any more", "value": {"quiet": None}},
}

_NO_ROUTE: Final = show_problem(404, ONE_PATH, f"There is no alert route {ROUTE_ID!r}.")
_WRONG: Final = "target: has to begin with http:// or https:// and name a host"
_TAKEN: Final = "There is an alert route 'on call' already."
_USED: Final = "The route is named by the rule 'spikes'. Change it first."

ROUTES: Final[Responses] = show({"data": [ROUTE], "next_cursor": None})
CREATED: Final[Responses] = {
    **show(ROUTE, 201),
    **show_problem(409, PATH, _TAKEN),
    **show_problem(422, PATH, _WRONG, "target"),
}
ONE: Final[Responses] = {**show(ROUTE), **_NO_ROUTE}
CHANGED: Final[Responses] = {
    **show({**ROUTE, "enabled": False}),
    **_NO_ROUTE,
    **show_problem(409, ONE_PATH, _TAKEN),
    **show_problem(422, ONE_PATH, _WRONG, "target"),
}
DELETED: Final[Responses] = {**_NO_ROUTE, **show_problem(409, ONE_PATH, _USED)}
TESTED: Final[Responses] = {
    **show({**DETAIL, "rule_id": None, "is_test": True, "moment_ids": []}),
    **_NO_ROUTE,
    **show_problem(409, f"{ONE_PATH}/test", "The route is disabled. Enable it first."),
}
