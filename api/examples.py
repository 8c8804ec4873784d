"""Examples: answers and problems as the pages of the API show them."""

from typing import Any, Final, TypeAlias

from api.answers import ANSWERS
from api.errors import MEDIA_TYPE
from core.errors import (
    BadRequestError,
    ConflictError,
    DatabaseAwayError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    PreconditionFailedError,
    RateLimitedError,
    TelemetraError,
    TooLargeError,
    UnauthorizedError,
    UnsupportedMediaError,
)

Responses: TypeAlias = dict[int | str, dict[str, Any]]

_ERRORS: Final = {
    error.status: error
    for error in (
        BadRequestError,
        UnauthorizedError,
        ForbiddenError,
        NotFoundError,
        ConflictError,
        PreconditionFailedError,
        TooLargeError,
        UnsupportedMediaError,
        InvalidError,
        RateLimitedError,
        DatabaseAwayError,
    )
}
"""What a status usually means."""

NO_STREAM: Final = "There is no stream 'northlight_live'. Its first event makes it appear."


def show_answer(example: object) -> Responses:
    """Return an example of a good answer, beside what is said of every cached one."""
    return {200: {**ANSWERS[200], **show(example)[200]}}


def show(example: object, status: int = 200) -> Responses:
    """Return an example of a good answer that nobody keeps."""
    return {status: {"content": {"application/json": {"example": example}}}}


def show_text(example: str, media_type: str) -> Responses:
    """Return an example of an answer that is no JSON."""
    content = {media_type: {"schema": {"type": "string"}, "example": example}}
    return {200: {"content": content}}


def show_problem(status: int, path: str, detail: str, *fields: str) -> Responses:
    """Return an example of a refusal; the fields are those that are wrong."""
    return show_error(_ERRORS[status], path, detail, *fields)


def show_error(error: type[TelemetraError], path: str, detail: str, *fields: str) -> Responses:
    """Return an example of one error as it is rendered."""
    document: dict[str, Any] = {
        "type": f"urn:telemetra:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": detail,
        "instance": path,
        "request_id": "req_0c1d2e3f4a5b6c7d",
    }
    if fields:
        reason = detail.partition(": ")[2]
        document["errors"] = [{"field": field, "reason": reason} for field in fields]
    return {
        error.status: {
            "description": error.title,
            "content": {MEDIA_TYPE: {"example": document}},
        }
    }
