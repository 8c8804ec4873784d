"""Errors: every refusal as an RFC 9457 problem document, made in this one place."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from api.dialects import choose_dialect
from core.errors import FieldError, TelemetraError

MEDIA_TYPE = "application/problem+json"

log = structlog.get_logger()


def add_error_handlers(app: FastAPI) -> None:
    """Render every error of the application."""
    app.add_exception_handler(TelemetraError, render_error)
    app.add_exception_handler(RequestValidationError, _render_validation)
    app.add_exception_handler(HTTPException, _render_http)
    app.add_exception_handler(Exception, _render_unknown)


def make_problem(
    request: Request,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Sequence[FieldError] = (),
) -> Response:
    """Return a problem document, in the words of the protocol that was spoken."""
    dialect = choose_dialect(request.url.path)
    status = dialect.choose_status(status)
    document: dict[str, Any] = {
        "type": f"urn:telemetra:problem:{code}",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.url.path,
        "request_id": request.scope.get("request_id"),
    }
    document |= dialect.write(status, detail)
    if errors:
        document["errors"] = [{"field": e.field, "reason": e.reason} for e in errors]
    return Response(orjson.dumps(document), status_code=status, media_type=MEDIA_TYPE)


async def render_error(request: Request, error: Exception) -> Response:
    """Return an error of ours as a problem document."""
    assert isinstance(error, TelemetraError)  # noqa: S101 (registered for this class only)
    if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("request_failed", code=error.code, detail=error.detail)
    response = make_problem(
        request,
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=error.errors,
    )
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


async def _render_validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 (as above)
    wrong = [
        FieldError(".".join(str(part) for part in item["loc"][1:]) or "body", item["msg"])
        for item in error.errors()
    ]
    return make_problem(
        request,
        status=422,
        code="invalid",
        title="A value is not allowed",
        detail="; ".join(f"{item.field}: {item.reason}" for item in wrong),
        errors=wrong,
    )


async def _render_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 (as above)
    title = HTTPStatus(error.status_code).phrase
    detail = {
        400: "The body cannot be read: it has to be JSON in UTF-8.",
        404: f"There is nothing at {request.url.path}. /docs lists what there is.",
        405: f"{request.method} is not possible at {request.url.path}. /docs lists what is.",
    }.get(error.status_code, str(error.detail))
    response = make_problem(
        request, status=error.status_code, code=_to_code(title), title=title, detail=detail
    )
    response.headers.update(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        # The framework knows the methods of one route, and a path may have several.
        response.headers["Allow"] = ", ".join(_list_methods(request))
    return response


def _list_methods(request: Request) -> list[str]:
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.methods and compile_path(context.path or "")[0].match(request.url.path):
            found |= set(context.methods)
    return sorted(found)


async def _render_unknown(request: Request, error: Exception) -> Response:
    # Rendered outside of the middleware that binds the request id.
    request_id = request.scope.get("request_id")
    log.error("request_crashed", path=request.url.path, request_id=request_id, exc_info=error)
    return make_problem(
        request,
        status=500,
        code="internal",
        title=TelemetraError.title,
        detail="This is a defect. The log has the details under the request id.",
    )


def _to_code(title: str) -> str:
    return title.lower().replace(" ", "_").replace("-", "_")
