"""Oracles: what schemathesis has to know of the API that its document cannot say.

Loaded by schemathesis itself. Each widens a check by named reasons and nothing else.
"""

import json
import os
import re
from collections import Counter
from typing import Any, Final

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.generation.meta import CoveragePhaseData, CoverageScenario
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

NO_SCHEMA_SAYS: Final = (
    # A cursor is opaque, and only one of ours is good.
    "cursor: take it from next_cursor of the page before.",
    # How two parameters go together.
    "end lies before start",
    "to lies before from",
    "until lies before since",
    # Said twice so that nobody clears a log by accident.
    "confirm: name the device whose log is cleared",
    "from: more than",
    "points cover the whole range",
    "A report tells of ",
    "streams: an admin key reaches every stream.",
    # A schema could say these, as choices of some that would make no client better.
    "name an action, a label or a comment",
    "set at least one of is_watched,",
    "until: goes with the action shelve",
    "two charts have the chart_id",
    # A text deep inside metadata, of which a schema sees only that it is JSON.
    "A text holds a null character.",
    # How large a thing is once it is written, and what would be chosen among.
    "telemetry_snapshot: ",
    # Which time something may be noted at; a text of one has no bounds.
    "timestamp: lies between",
    "are too many to choose",
    # What depends on the clock, on the calendar, or on how much is stored.
    "expires_at: lies in the past.",
    "a time is ISO 8601",
    "of the batch nothing was taken",
    "The range has more than",
    "there is no such time zone",
    # What its kind asks of a target, what base64 is, and which URLs a library knows.
    "target: ",
    "secret: ",
    # Whether what a rule names is there.
    "routes: there is no alert route",
)


ARROW: Final = "application/vnd.apache.arrow.stream"
UPLOADS: Final = "/api/v1/sessions/{session_id}/stt/upload"
SCRIPTS: Final = "/api/v1/devices/{device_id}/scripts"
PROTOCOLS: Final = {"/api/v1/prom/write", "/v1/metrics", UPLOADS, SCRIPTS, f"{SCRIPTS}/check"}
"""What their bodies may be is said by a protocol, a format of audio or the steps of a script, and
by no schema."""

INGEST: Final = "/api/v1/ingest"
TEXT_OF_AN_EVENT: Final = re.compile(
    r"/properties/(id|user|text|emotes|badges|unit|currency|title|category)(/items|/anyOf/\d+|/type)*$"
)
"""Where an event has a text: whatever else stands there is taken as it is written."""

OWN_KEY: Final = "ORACLES_OWN_KEY"
"""The variable with the id of the key that the run itself shows."""

EVERYWHERE: Final = "ORACLES_EVERYWHERE"
"""The variable that asks for every boundary at every operation."""

PLACES: Final = 2
"""Operations at which one boundary is tried otherwise: most of them share what they are asked."""


@schemathesis.hook
def filter_path_parameters(_: HookContext, path_parameters: dict[str, Any] | None) -> bool:
    """Leave the run's own key alone: revoked, it would see nothing but 401."""
    own = os.environ.get(OWN_KEY)  # noqa: TID251
    return own is None or (path_parameters or {}).get("key_id") != own


tried: Counter[tuple[object, ...]] = Counter()


@schemathesis.hook
def filter_case(_: HookContext, case: Case[Any]) -> bool:
    """Try a boundary that operations share at the first of them; what is plainly good at each."""
    found = case.meta.phase.data if case.meta else None
    if (
        not isinstance(found, CoveragePhaseData)
        or found.scenario == CoverageScenario.DEFAULT_POSITIVE_TEST
        or EVERYWHERE in os.environ  # noqa: TID251
    ):
        return True
    place = (found.parameter_location, found.parameter, found.location)
    boundary = (found.scenario, found.description, *place)
    tried[boundary] += 1
    return tried[boundary] <= PLACES


@schemathesis.check
def good_values_are_taken(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """Whatever the document allows is accepted, but for what no document can say."""
    if case.path in PROTOCOLS:
        return None
    if response.status_code == 422:
        detail: str = response.json()["detail"]
        if any(reason in detail for reason in NO_SCHEMA_SAYS):
            return None
    if response.status_code == 412 and "if-match" in {name.lower() for name in case.headers or ()}:
        # Which version is the last one no document says.
        return None
    if response.status_code == 400 and case.media_type == ARROW:
        # Of a file a schema says only that it is one.
        return None
    if response.status_code == 400 and response.json()["type"].endswith(":partial_write"):
        # Lines are refused one by one, and what one may hold is no matter of a schema.
        return None
    return positive_data_acceptance(ctx, response, case)


@schemathesis.check
def wrong_values_are_refused(ctx: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """Whatever the document forbids is refused; events are refused row by row in a 202."""
    if response.status_code == 202 and response.json().get("rejected"):
        return None
    found = case.meta.phase.data.location if case.meta else None
    if case.path == INGEST and TEXT_OF_AN_EVENT.search(found or ""):
        return None
    return negative_data_rejection(ctx, response, case)


@schemathesis.check
def every_row_is_accounted_for(_: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """What was sent is accepted or rejected, each row once."""
    if response.status_code == 202 and isinstance(case.body, list):
        receipt = response.json()
        assert receipt["accepted"] + receipt["rejected"] == len(case.body)
    return None


@schemathesis.check
def every_refusal_says_why(_: CheckContext, response: Response, case: Case[Any]) -> bool | None:
    """A refusal is a problem document with its own status and path."""
    is_problem = "problem" in str(response.headers.get("content-type"))
    if case.path == "/v1/metrics" and response.status_code in {400, 413} and not is_problem:
        return None  # A Status, as the protocol has it.
    if response.status_code >= 400 and case.path != "/api/v1/health":
        problem = response.json()
        assert problem["status"] == response.status_code
        assert problem["detail"]
        assert problem["type"].startswith("urn:telemetra:problem:")
    return None


@schemathesis.serializer("application/x-ndjson")
def write_lines(_: Any, value: Any) -> bytes:
    """Write a body of lines: as it is, or a row a line."""
    if isinstance(value, str):
        return value.encode(errors="surrogatepass")
    rows = value if isinstance(value, list) else [value]
    # The standard library writes whole numbers of any size, as other clients do.
    return "\n".join(map(json.dumps, rows)).encode()


@schemathesis.serializer("application/x-protobuf")
def write_protobuf(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """Send what was made up as it is: it is no message, and has to be refused."""
    return value if isinstance(value, bytes) else str(value).encode()
