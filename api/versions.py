"""Versions: what a client has seen of a thing, from the ``ETag`` that it shows in ``If-Match``."""

import re
from typing import Final

from fastapi import Response

from core.errors import PreconditionFailedError

_TAG: Final = re.compile(r'(?:W/)?"([0-9]{1,18})"')


def read_version(if_match: str | None, noun: str) -> int | None:
    """Return the version that a client has seen; None when that does not matter.

    Raises:
        PreconditionFailedError: It is no tag of such a thing.
    """
    if if_match is None or if_match.strip() == "*":
        return None
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        raise PreconditionFailedError(f"If-Match: take it from the ETag of the {noun}.")
    return int(found[1])


def tag_version(response: Response, version: int) -> Response:
    """Let an answer say which version it tells of."""
    response.headers["ETag"] = f'"{version}"'
    return response
