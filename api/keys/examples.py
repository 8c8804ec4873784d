"""Examples of keys, tickets and the audit log: what the pages of the API show."""

from typing import Any, Final

from api.examples import Responses, show, show_problem

PATH: Final = "/api/v1/keys"
ONE_PATH: Final = "/api/v1/keys/key_0123456789abcdef"

KEY: Final[dict[str, Any]] = {
    "key_id": "key_0123456789abcdef",
    "name": "dashboard in the hall",
    "prefix": "0123456789ab",
    "scopes": ["read"],
    "streams": None,
    "created_at": "2026-01-26T10:00:00Z",
    "created_by": "command line",
    "expires_at": None,
    "revoked_at": None,
    "last_used_at": "2026-01-26T10:32:00Z",
}
MADE: Final = {**KEY, "last_used_at": None, "key": "tk_0123456789ab_…"}
CHANGE: Final = {
    "id": 3,
    "at": "2026-01-26T10:33:00Z",
    "actor_key_id": None,
    "actor_name": "command line",
    "action": "key.revoke",
    "target": "key_0123456789abcdef",
    "before": {"revoked_at": None},
    "after": {"revoked_at": "2026-01-26T10:33:00Z"},
}
TICKET: Final[dict[str, Any]] = {
    "ticket": "tt_…",
    "expires_at": "2026-01-26T10:32:45Z",
    "scopes": ["read"],
    "streams": None,
}

_NO_KEY: Final = show_problem(
    404,
    ONE_PATH,
    "There is no key 'key_0123456789abcdef'. `telemetra keys list` names them.",
)
_NO_NAME: Final = "name: String should have at least 1 character"

KEYS: Final[Responses] = show({"data": [KEY], "next_cursor": None})
CREATED: Final[Responses] = {
    **show(MADE, 201),
    **show_problem(409, PATH, "There are 1000 keys already. Revoke one first."),
    **show_problem(422, PATH, _NO_NAME, "name"),
}
ROTATED: Final[Responses] = {
    **show(MADE),
    **_NO_KEY,
    **show_problem(
        409, f"{ONE_PATH}/rotate", "The key key_0123456789abcdef is revoked. Make a new one."
    ),
}
REVOKED: Final[Responses] = {
    **show({**KEY, "revoked_at": "2026-01-26T10:33:00Z"}),
    **_NO_KEY,
}
TICKETS: Final[Responses] = show(TICKET, 201)
AUDIT: Final[Responses] = show({"data": [CHANGE], "next_cursor": "Mw"})
