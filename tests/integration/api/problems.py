"""Problems: what every refusal of the API must look like."""

from typing import Any

import httpx

MEMBERS = {"type", "title", "status", "detail", "instance", "request_id"}


def read_problem(answer: httpx.Response, status: int, code: str, *others: str) -> dict[str, Any]:
    """Return a refusal after making sure that it is a problem document of this kind.

    Args:
        answer: The refusal.
        status: Which it must have.
        code: What its type must end with.
        others: Members that clients of another protocol look for.
    """
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert set(document) - {"errors"} == MEMBERS | set(others)
    assert document["type"] == f"urn:telemetra:problem:{code}"
    assert document["status"] == status
    assert document["instance"] == answer.request.url.path
    assert document["title"]
    assert document["detail"]
    for secret in ("SELECT", "Traceback", "asyncpg", "secret-word"):
        assert secret not in answer.text
    return document


def list_fields(document: dict[str, Any]) -> set[str]:
    """Return the fields that a problem names."""
    return {error["field"] for error in document["errors"]}
