"""Description: what ``/openapi.json``, ``/docs`` and the clients are told of the API.

    routes -> FastAPI -> what the door asks and answers, problems -> the document

FastAPI knows what an endpoint says of itself. What the door adds to all of them, keys and
refusals, is said here once, from the same rules that the door goes by. ``api.openapi`` writes the
document for the generators of clients.
"""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel, Field

from api.errors import MEDIA_TYPE
from api.examples import Responses, show_problem
from api.ingest.examples import write_schemas as write_event_schemas
from core.access import find_scope

Document: TypeAlias = dict[str, Any]

SCHEMES: Final = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key: `telemetra keys create` makes one.",
    },
    "api_key": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same key, for clients that have no other header to put it in.",
    },
}
"""Either will do; where no key was ever made, neither is asked for."""

_PATH: Final = "/api/v1/streams"
_SECONDS: Final = {"schema": {"type": "integer"}}
_HEADERS: Final[dict[str, Document]] = {
    "401": {"WWW-Authenticate": {"description": "What to show.", "schema": {"type": "string"}}},
    "429": {"Retry-After": {"description": "Seconds to wait.", **_SECONDS}},
    "503": {"Retry-After": {"description": "Seconds to wait.", **_SECONDS}},
}

DOOR: Final[Responses] = {
    **show_problem(401, _PATH, "This needs a key: Authorization: Bearer tk_…"),
    **show_problem(403, _PATH, "This needs a key with the scope read."),
    **show_problem(
        429,
        _PATH,
        "More than 6000 requests a minute. Wait 2 s; one request with more in it counts once.",
    ),
    **show_problem(503, _PATH, "The database cannot be reached. Try again in some seconds."),
}
"""What every route may answer that asks for a key."""

INVALID: Final = show_problem(
    422, _PATH, "limit: Input should be less than or equal to 500", "limit"
)

UNREADABLE: Final = show_problem(400, _PATH, "The body cannot be read: it has to be JSON in UTF-8.")

_NAMES: Final = {
    400: "Unreadable",
    401: "NoKey",
    403: "Forbidden",
    422: "Invalid",
    429: "TooMany",
    503: "Away",
}
_OF_FASTAPI: Final = ("HTTPValidationError", "ValidationError")


class ProblemField(BaseModel):
    """A field that is wrong, and why."""

    field: str
    reason: str


class Problem(BaseModel):
    """Why a request was refused, and what to do (RFC 9457)."""

    type: str = Field(description="Names the kind of problem, for programs.")
    title: str
    status: int
    detail: str = Field(description="What happened here, and what to do.")
    instance: str = Field(description="The path that was asked.")
    request_id: str | None = Field(description="The log has the details under it.")
    errors: list[ProblemField] | None = Field(None, description="The fields that are wrong.")


def name_operation(route: APIRoute) -> str:
    """Return what clients call a route: what its function is called."""
    return route.name


def describe(app: FastAPI) -> None:
    """Let an application describe itself with what holds for all its routes."""
    gather = app.openapi

    def openapi() -> Document:
        # FastAPI keeps what it gathered, and gathers anew when a route was added.
        document = gather()
        if "securitySchemes" not in document.setdefault("components", {}):
            complete(document)
            restore_examples(document, app)
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend it.


def complete(document: Document) -> None:
    """Add to every operation what the door asks for and answers."""
    components = document["components"]
    schemas = components.setdefault("schemas", {})
    for name in _OF_FASTAPI:
        schemas.pop(name, None)
    schemas.update(_write_problem_schemas() | write_event_schemas())
    components["securitySchemes"] = SCHEMES
    components["responses"] = {
        _NAMES[int(status)]: _complete_problem(str(status), response)
        for status, response in (DOOR | INVALID | UNREADABLE).items()
    }
    for method, path, operation in list_operations(document):
        _complete_operation(method, path, operation)


def restore_examples(document: Document, app: FastAPI) -> None:
    """Put the examples of answers back as they were written: FastAPI leaves every null out."""
    for context in iter_route_contexts(app.routes):
        route = context.original_route
        if not isinstance(route, APIRoute) or not route.include_in_schema:
            continue
        if context.path_format not in document["paths"]:
            # An alias: the same route, included a second time and left out.
            continue
        for method in route.methods or ():
            told = document["paths"][context.path_format][method.lower()]["responses"]
            for status, response in route.responses.items():
                for media_type, content in response.get("content", {}).items():
                    if "example" in content:
                        told[str(status)]["content"][media_type]["example"] = content["example"]


def list_operations(document: Document) -> Iterator[tuple[str, str, Document]]:
    """Return every method and path of a document with what it says of them."""
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield method.upper(), path, operation


def _complete_operation(method: str, path: str, operation: Document) -> None:
    responses = operation["responses"]
    scope = find_scope(method, path)
    operation["security"] = [] if scope is None else [{name: []} for name in SCHEMES]
    if scope is not None:
        needs = f"Where keys are asked for, this needs one with the scope `{scope}`."
        operation["description"] = f"{operation.get('description', '')}\n\n{needs}".strip()
        for status in DOOR:
            responses.setdefault(str(status), _refer(int(status)))
    if "requestBody" in operation:
        responses.setdefault("400", _refer(400))
    if _is_of_fastapi(responses.get("422", {})):
        responses["422"] = _refer(422)
    completed = {status: _complete_problem(status, responses[status]) for status in responses}
    operation["responses"] = dict(sorted(completed.items()))


def _complete_problem(status: str, response: Document) -> Document:
    """Return a response whose problem has its schema, its headers and an example."""
    if MEDIA_TYPE not in response.get("content", {}):
        return response
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    usual = DOOR.get(int(status), {}).get("content", {}).get(MEDIA_TYPE, {})
    content = response["content"] | {MEDIA_TYPE: problem | usual | response["content"][MEDIA_TYPE]}
    headers = _HEADERS.get(status, {}) | response.get("headers", {})
    return {**response, "content": content, **({"headers": headers} if headers else {})}


def _is_of_fastapi(response: Document) -> bool:
    content = response.get("content", {}).get("application/json", {})
    return str(content.get("schema", {}).get("$ref", "")).endswith(_OF_FASTAPI[0])


def _refer(status: int) -> Document:
    return {"$ref": f"#/components/responses/{_NAMES[status]}"}


def _write_problem_schemas() -> Document:
    schema = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    return {**schema.pop("$defs"), "Problem": schema}
