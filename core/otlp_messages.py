"""OTLP messages: the published messages of OpenTelemetry's metrics, as they are read here.

Attributes of points and resources stay bytes: ``core.otlp_names`` looks them up whole. A request in
JSON becomes one in protobuf first, so that there is one reader.
"""

from typing import Any, Final

import orjson
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.json_format import ParseDict, ParseError
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1 import resource_pb2

from core.errors import BadRequestError, TooLargeError
from core.wire_messages import build_classes, leave_as_bytes

BODY_BYTES_MAX: Final = 4_194_304
"""Most bytes of a request, unpacked: what receivers of OTLP over gRPC take. Thirty times
as much memory, for a moment, is the most that reading takes."""

JSON_OBJECTS_MAX: Final = 200_000
"""Most objects of a request in JSON, which are read one by one: half a second of work."""

_LEFT: Final = frozenset({"attributes", "exemplars"})


def _leave_attributes(descriptor: Any) -> FileDescriptorProto:  # noqa: ANN401 (has no types)
    file = FileDescriptorProto()
    descriptor.CopyToProto(file)
    leave_as_bytes(
        file,
        lambda message, name: name in _LEFT and message.endswith(("DataPoint", "Resource")),
    )
    return file


_find_class = build_classes(
    *(_leave_attributes(file.DESCRIPTOR) for file in (common_pb2, resource_pb2, metrics_pb2))
)
METRICS: Final = _find_class("opentelemetry.proto.metrics.v1.MetricsData")
ATTRIBUTE: Final = _find_class("opentelemetry.proto.common.v1.KeyValue")


def pack_json(body: bytes) -> bytes:
    """Return a request in JSON as the same request in protobuf.

    Raises:
        BadRequestError: It is no JSON, or not that of this protocol.
        TooLargeError: It holds too many objects.
    """
    if body.count(b"{") > JSON_OBJECTS_MAX:
        raise TooLargeError(f"There are more than {JSON_OBJECTS_MAX} objects. Send fewer at once.")
    try:
        request = _parse(orjson.loads(body))
    except (ValueError, ParseError, TypeError, AttributeError, KeyError) as error:
        # The library says some wrong shapes by tripping over them.
        text = str(error)[:200]
        raise BadRequestError(f"The body is not the JSON of this protocol: {text}") from None
    return bytes(request.SerializeToString())


def _parse(document: object) -> ExportMetricsServiceRequest:
    if not isinstance(document, dict):
        raise ParseError("it is no object")
    request = ExportMetricsServiceRequest()
    ParseDict(document, request, ignore_unknown_fields=True)
    return request
