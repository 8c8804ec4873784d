"""Examples of alert rules: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/alert-rules"
PREVIEWS: Final = "/api/v1/alert-previews"
RULE_ID: Final = "rul_0123456789abcdef"
ONE_PATH: Final = f"{PATH}/{RULE_ID}"

RULE: Final[dict[str, Any]] = {
    "rule_id": RULE_ID,
    "name": "spikes",
    "enabled": True,
    "stream": "northlight_*",
    "kind": "*",
    "tags": [],
    "types": ["chat_spike", "viewer_spike"],
    "min_score": 1.5,
    "min_duration_s": 0.0,
    "schedule": {
        "days": ["mon", "tue", "wed", "thu", "fri"],
        "from": "08:00",
        "to": "18:00",
        "zone": "Europe/Berlin",
    },
    "severity": "critical",
    "group_by": ["stream", "type"],
    "group_wait_s": 0.0,
    "cool_down_s": 300.0,
    "routes": ["rte_0123456789abcdef"],
    "tell_ends": True,
    "created_at": "2026-01-26T10:00:00Z",
    "created_by": "control room",
    "updated_at": "2026-01-26T10:00:00Z",
}
WISHES: Final[dict[str, Any]] = {
    "all": {
        "summary": "Whatever happens",
        "value": {"name": "everything", "routes": ["rte_0123456789abcdef"]},
    },
    "some": {
        "summary": "What is worth a call, in working hours",
        "value": {
            "name": "spikes",
            "stream": "northlight_*",
            "types": ["chat_spike", "viewer_spike"],
            "min_score": 1.5,
            "schedule": RULE["schedule"],
            "severity": "critical",
            "routes": ["rte_0123456789abcdef"],
        },
    },
}
CHANGES: Final[dict[str, Any]] = {
    "off": {"summary": "Tell nothing new for now", "value": {"enabled": False}},
    "patient": {"summary": "Tell less often", "value": {"cool_down_s": 3600}},
}

_NO_RULE: Final = show_problem(404, ONE_PATH, f"There is no alert rule {RULE_ID!r}.")
_MISSING: Final = "routes: there is no alert route 'rte_0123456789abcdef'."
_TAKEN: Final = "There is an alert rule 'spikes' already."

CONDITIONS: Final[dict[str, Any]] = {
    "all": {"summary": "Whatever happens", "value": {}},
    "high": {
        "summary": "What is high and lasts",
        "value": {"stream": "northlight_*", "min_score": 2.5, "min_duration_s": 20},
    },
}
_DAY: Final[dict[str, Any]] = {"day": "2026-01-26", "moments": 6, "matched": 3, "told": 2}
PREVIEW: Final[Responses] = {
    **show(
        {
            "moments": 19,
            "matched": 7,
            "told": 5,
            "told_24h": 2,
            "labelled_true": 4,
            "labelled_false": 0,
            "is_complete": True,
            "days": [_DAY],
            "at_scores": [{"min_score": 1.5, "told": 9, "labelled_false": 2}],
        }
    ),
    **show_problem(
        422,
        PREVIEWS,
        "min_score: Input should be greater than or equal to 0",
        "min_score",
    ),
}

RULES: Final[Responses] = show({"data": [RULE], "next_cursor": None})
CREATED: Final[Responses] = {
    **show(RULE, 201),
    **show_problem(409, PATH, _TAKEN),
    **show_problem(422, PATH, _MISSING, "routes"),
}
ONE: Final[Responses] = {**show(RULE), **_NO_RULE}
CHANGED: Final[Responses] = {
    **show({**RULE, "enabled": False}),
    **_NO_RULE,
    **show_problem(409, ONE_PATH, _TAKEN),
    **show_problem(422, ONE_PATH, _MISSING, "routes"),
}
DELETED: Final[Responses] = _NO_RULE
