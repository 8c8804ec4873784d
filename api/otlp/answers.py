"""Answers of OTLP: messages of the protocol, in the encoding that the request came in."""

from typing import Any, Final

import orjson
from fastapi import Response
from google.protobuf.json_format import MessageToDict
from google.rpc.status_pb2 import Status
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceResponse,
)

from core.errors import TelemetraError

PROTOBUF: Final = "application/x-protobuf"
JSON: Final = "application/json"
MEDIA_TYPES: Final = (PROTOBUF, JSON)

INVALID_ARGUMENT: Final = 3
_CODES: Final = {413: 8, 429: 8, 503: 14}
"""The codes of gRPC: resources are exhausted, or the service is away."""


def write_success(rejected: int, reason: str, media_type: str) -> Response:
    """Return the answer to a request that was taken, perhaps without some of its points."""
    message = ExportMetricsServiceResponse()
    if rejected:
        message.partial_success.rejected_data_points = rejected
        message.partial_success.error_message = reason
    return _write(message, media_type, 200)


def write_failure(error: TelemetraError, media_type: str) -> Response:
    """Return the answer to a request of which nothing was taken."""
    code = _CODES.get(error.status, INVALID_ARGUMENT)
    response = _write(Status(code=code, message=error.detail), media_type, error.status)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def _write(message: Any, media_type: str, status: int) -> Response:  # noqa: ANN401 (made at run time)
    is_json = media_type == JSON
    content = orjson.dumps(MessageToDict(message)) if is_json else message.SerializeToString()
    return Response(content, status_code=status, media_type=media_type)
