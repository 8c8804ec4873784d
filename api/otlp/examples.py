"""Examples of OTLP: what is sent and what it answers, in JSON; protobuf says the same."""

from typing import Any, Final

from api.examples import Responses, show_problem
from api.otlp.answers import JSON, PROTOBUF

_POINT: Final = {
    "timeUnixNano": "1768979535000000000",
    "asDouble": 41.2,
    "attributes": [{"key": "cell", "value": {"stringValue": "3"}}],
}
_METRIC: Final = {"name": "cell.temperature", "unit": "Cel", "gauge": {"dataPoints": [_POINT]}}
_REQUEST: Final = {
    "resourceMetrics": [
        {
            "resource": {
                "attributes": [{"key": "service.name", "value": {"stringValue": "bench-07"}}]
            },
            "scopeMetrics": [{"metrics": [_METRIC]}],
        }
    ]
}
_PARTIAL: Final = {
    "partialSuccess": {
        "rejectedDataPoints": "1",
        "errorMessage": "cell.temperature:cell=3 of bench-07: value is not a number of at most"
        " 1e+100",
    }
}
_BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
_OBJECT: Final = {"schema": {"type": "object"}}


def _show_status(description: str, code: int, message: str) -> dict[str, Any]:
    example = {"code": code, "message": message}
    return {
        "description": description,
        "content": {
            JSON: {**_OBJECT, "example": example},
            PROTOBUF: {**_BINARY, "example": "google.rpc.Status"},
        },
    }


ANSWERS: Final[Responses] = {
    200: {
        "description": "Taken; points that were refused are counted.",
        "content": {
            JSON: {**_OBJECT, "example": _PARTIAL},
            PROTOBUF: {**_BINARY, "example": "ExportMetricsServiceResponse"},
        },
    },
    400: _show_status(
        "The request cannot be understood",
        3,
        "The body is not the message of this protocol: it is cut off, damaged, or another one.",
    ),
    413: _show_status("The body is too large", 8, "There are more than 50000 data points."),
    **show_problem(
        415,
        "/v1/metrics",
        "text/plain is not read here. Send application/x-protobuf or application/json.",
    ),
}

REQUEST_BODY: Final[dict[str, Any]] = {
    "required": True,
    "content": {
        JSON: {**_OBJECT, "example": _REQUEST},
        PROTOBUF: {**_BINARY, "example": "ExportMetricsServiceRequest"},
    },
}
