"""Examples: what the pages of the API show is what the API answers."""

from typing import Any, Final

import pytest
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from api.channels.endpoints import router as channels
from api.compare.endpoints import router as compare
from api.metrics.endpoints import router as metrics
from api.readings.endpoints import router as readings
from api.transactions.endpoints import router as transactions

ROUTES: Final = [
    route
    for router in (metrics, readings, transactions, compare)
    for route in router.routes
    if isinstance(route, APIRoute)
] + [
    route
    for route in channels.routes
    if isinstance(route, APIRoute) and route.path.endswith("metrics")
]
PROBLEM: Final = {"type", "title", "status", "detail", "instance", "request_id"}


def read_example(route: APIRoute, status: int, media_type: str) -> dict[str, Any]:
    example: dict[str, Any] = route.responses[status]["content"][media_type]["example"]
    return example


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_every_example_is_an_answer(route: APIRoute):
    example = read_example(route, 200, "application/json")
    told = TypeAdapter(route.response_model).validate_python(example)
    assert set(told.model_dump()) == set(example)
    assert example["data"]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
@pytest.mark.parametrize("status", [404, 422])
def test_every_route_shows_its_problems(route: APIRoute, status: int):
    example = read_example(route, status, "application/problem+json")
    assert set(example) - {"errors"} == PROBLEM
    assert example["status"] == status
    assert ("errors" in example) == (status == 422)


@pytest.mark.parametrize("path", ["metrics", "/minutes", "/compare"])
def test_what_is_read_by_minutes_says_that_a_gap_is_no_zero(path: str):
    described = [route.description for route in ROUTES if route.path.endswith(path)]
    assert described
    assert all("no row" in text or "gap" in text for text in described)
