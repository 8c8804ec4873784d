"""Descriptions: every route says what it is, shows what it answers, and names what can go wrong."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, Final, TypeAlias

import jsonschema_rs

from api.app import build_app
from api.descriptions import list_operations
from api.errors import MEDIA_TYPE
from api.openapi import NOWHERE
from core.access import find_scope
from tests.fixtures.settings import make_settings

Operation: TypeAlias = dict[str, Any]

MAKERS: Final = {"put_stream"}
"""They make what is not there, and so never answer 404."""

PROTOCOLS: Final = {"write_samples", "send_otlp_metrics"}
"""Their bodies and refusals are those of a protocol that knows no fields."""


@cache
def read_document() -> dict[str, Any]:
    """Return the document, made once for all tests, and only by the worker that runs them."""
    return build_app(make_settings(**NOWHERE)).openapi()


@cache
def name_operations() -> dict[str, Operation]:
    """Return all operations by their methods and paths."""
    operations = list_operations(read_document())
    return {f"{method} {path}": operation for method, path, operation in operations}


def hold_of_all(rule: Callable[[str, Operation], None]) -> None:
    """Hold every operation against a rule; raise what is wrong with each of those that break it."""
    wrong = []
    for name, operation in name_operations().items():
        try:
            rule(name, operation)
        except (AssertionError, LookupError, ValueError) as error:
            error.add_note(name)
            wrong.append(error)
    if wrong:
        raise ExceptionGroup("these operations break the rule", wrong)


def resolve(thing: dict[str, Any]) -> dict[str, Any]:
    """Return what a reference names."""
    if "$ref" not in thing:
        return thing
    found: Any = read_document()
    for name in thing["$ref"].removeprefix("#/").split("/"):
        found = found[name]
    return found  # type: ignore[no-any-return]


def list_contents(operation: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Return where, as what and with which description an operation reads and answers bodies."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        yield "request", media_type, content
    for status, response in operation["responses"].items():
        for media_type, content in resolve(response).get("content", {}).items():
            yield status, media_type, content


def find_example(content: dict[str, Any]) -> Any:
    """Return the example of a body: its own, or one of its model's fields together."""
    if "example" in content:
        return content["example"]
    schema = resolve(content["schema"])
    shown = {
        name: field["examples"][0]
        for name, field in schema.get("properties", {}).items()
        if "examples" in field
    }
    return shown or None


def validate(content: dict[str, Any], example: Any) -> None:
    schema = {**content["schema"], "components": read_document()["components"]}
    jsonschema_rs.Draft202012Validator(schema, validate_formats=True).validate(example)


def test_the_walk_finds_what_is_known_to_be_there():
    assert {"GET /api/v1/streams", "POST /api/v1/ingest", "GET /health"} <= name_operations().keys()
    assert len(name_operations()) > 25


def test_clients_get_a_short_name_for_every_operation():
    names = [operation["operationId"] for operation in name_operations().values()]
    assert len(names) == len(set(names))
    assert [name for name in names if len(name) > 25 or "api_v1" in name] == []


def test_every_route_says_in_a_few_words_and_in_a_sentence_what_it_does():
    def rule(_: str, operation: Operation) -> None:
        assert 5 < len(operation["summary"]) < 70
        assert operation["description"].strip()
        assert operation["tags"]

    hold_of_all(rule)


def test_every_body_has_an_example_that_its_own_schema_allows():
    def rule(_: str, operation: Operation) -> None:
        contents = list(list_contents(operation))
        is_answered = any(where.startswith("2") for where, _, _ in contents)
        assert is_answered or "204" in operation["responses"]
        for where, media_type, content in contents:
            if "csv" in media_type or "arrow" in media_type:
                continue  # Files; the rows are those of the JSON beside them.
            example = find_example(content)
            assert example is not None, (where, media_type)
            validate(content, example)

    hold_of_all(rule)


def test_a_route_that_asks_for_a_key_says_so_and_how_it_refuses():
    def rule(name: str, operation: Operation) -> None:
        method, path = name.split(" ", 1)
        scope = find_scope(method, path)
        assert bool(operation["security"]) == (scope is not None)
        if scope is None:
            return
        assert f"`{scope}`" in operation["description"]
        assert {"401", "403", "429", "503"} <= set(operation["responses"])
        headers = {
            status: resolve(operation["responses"][status])["headers"] for status in ("401", "429")
        }
        assert "WWW-Authenticate" in headers["401"]
        assert "Retry-After" in headers["429"]

    hold_of_all(rule)


def test_a_route_that_reads_values_says_how_it_refuses_wrong_ones():
    def rule(_: str, operation: Operation) -> None:
        is_read_by_us = operation["operationId"] not in PROTOCOLS
        if is_read_by_us and (operation.get("parameters") or "requestBody" in operation):
            assert "422" in operation["responses"]
        if "requestBody" in operation:
            assert "400" in operation["responses"]
        places = [one for one in operation.get("parameters", ()) if one["in"] == "path"]
        if places and operation["operationId"] not in MAKERS:
            assert "404" in operation["responses"]

    hold_of_all(rule)


def test_every_refusal_is_a_problem_document():
    def rule(_: str, operation: Operation) -> None:
        for status, response in operation["responses"].items():
            if int(status) < 400 or operation["operationId"] == "read_health":
                continue
            if operation["operationId"] == "send_otlp_metrics" and status in {"400", "413"}:
                continue  # A Status, as the protocol has it.
            content = resolve(response)["content"]
            assert list(content) == [MEDIA_TYPE]
            assert content[MEDIA_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content[MEDIA_TYPE]["example"]["status"] == int(status)

    hold_of_all(rule)


def test_a_key_can_be_shown_in_either_header():
    assert set(read_document()["components"]["securitySchemes"]) == {"bearer", "api_key"}


def test_every_reference_leads_somewhere():
    def walk_all(thing: Any) -> Iterator[dict[str, Any]]:
        if isinstance(thing, dict):
            if "$ref" in thing:
                yield thing
            thing = list(thing.values())
        if isinstance(thing, list):
            for part in thing:
                yield from walk_all(part)

    references = list(walk_all(read_document()))
    assert references
    assert all(resolve(reference) for reference in references)
