"""Examples: answers and problems as the pages of the API show them."""

from typing import Any, Final, TypeAlias

from api.answers import ANSWERS
from api.errors import MEDIA_TYPE

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_TITLES: Final = {404: "Not found", 422: "A value is not allowed"}
_CODES: Final = {404: "not_found", 422: "invalid"}

NO_STREAM: Final = "There is no stream 'northlight_live'. Its first event makes it appear."


def show_answer(example: object) -> Responses:
    """Return an example of a good answer, beside what is said of every cached one."""
    return {200: {**ANSWERS[200], "content": {"application/json": {"example": example}}}}


def show_problem(status: int, path: str, detail: str, *fields: str) -> Responses:
    """Return an example of a refusal; the fields are those that are wrong."""
    document: dict[str, Any] = {
        "type": f"urn:telemetra:problem:{_CODES[status]}",
        "title": _TITLES[status],
        "status": status,
        "detail": detail,
        "instance": path,
        "request_id": "req_0c1d2e3f4a5b6c7d",
    }
    if fields:
        reason = detail.partition(": ")[2]
        document["errors"] = [{"field": field, "reason": reason} for field in fields]
    return {
        status: {"description": _TITLES[status], "content": {MEDIA_TYPE: {"example": document}}}
    }
