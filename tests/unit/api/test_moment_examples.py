"""Examples of moments and streams: what the pages of the API show is what it takes and answers."""

from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from api.moments.endpoints import router as moments
from api.moments.examples import WISHES
from api.moments.schemas import MomentIn
from api.streams.endpoints import router as streams

CHANGING = {"PUT", "PATCH", "DELETE"}
ROUTES = [
    route
    for router in (moments, streams)
    for route in router.routes
    if isinstance(route, APIRoute) and (router is moments or route.methods & CHANGING)
]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.methods} {route.path}")
def test_every_example_is_an_answer(route: APIRoute):
    assert 422 in route.responses
    for status, shown in route.responses.items():
        for media_type, content in shown.get("content", {}).items():
            example: dict[str, Any] | None = content.get("example")
            if media_type == "application/json":
                told = TypeAdapter(route.response_model).validate_python(example)
                assert set(told.model_dump()) == set(example or ())
            elif example is not None:
                assert example["status"] == status


@pytest.mark.parametrize("name", WISHES)
def test_every_wish_that_is_shown_can_be_sent(name: str):
    assert MomentIn.model_validate(WISHES[name]["value"]).to_wish().name
