"""Headers: one of a request's, read where it lies; for what is asked with every request."""

from starlette.types import Scope


def find_header(scope: Scope, name: bytes) -> str | None:
    """Return the first header of a name, given in lower case as ASGI servers hand them on."""
    for found, value in scope["headers"]:
        if found == name:
            text: str = value.decode("latin-1")
            return text
    return None
