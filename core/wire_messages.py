"""Wire messages: classes for protocol buffers that are read no deeper than needed.

    a message, some of its fields declared as bytes -> the library cuts them out, and reads no more

What one request repeats thousands of times, the labels of a series or the attributes of a point,
stays bytes: these are looked up whole, and only what is new is read further. Used by the readers
of remote write and OTLP.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from google.protobuf.descriptor_pb2 import FieldDescriptorProto as Field
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.protobuf.message_factory import GetMessageClass

from core.errors import BadRequestError

MessageClass: TypeAlias = Any
"""Made at run time; types cannot know its fields."""


def build_classes(*files: FileDescriptorProto) -> Callable[[str], MessageClass]:
    """Return a look-up of message classes by name; a file comes after those it builds on."""
    # A pool of one's own: these are not the messages that others know under the same names.
    pool = DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    return lambda name: GetMessageClass(pool.FindMessageTypeByName(name))


def leave_as_bytes(file: FileDescriptorProto, is_left: Callable[[str, str], bool]) -> None:
    """Declare fields as bytes, chosen by the names of their message and their own."""
    for message in file.message_type:
        for field in message.field:
            if is_left(message.name, field.name):
                field.type = Field.TYPE_BYTES
                field.ClearField("type_name")


def write_file(package: str, messages: Mapping[str, Iterable[str]]) -> FileDescriptorProto:
    """Return the description of messages, a field written as ``repeated bytes labels = 1``."""
    file = FileDescriptorProto(name=f"{package}.proto", package=package, syntax="proto3")
    for name, fields in messages.items():
        message = file.message_type.add(name=name)
        for text in fields:
            *repeated, kind, field, _, number = text.split()
            is_message = kind in messages
            message.field.add(
                name=field,
                number=int(number),
                type=Field.Type.Value(f"TYPE_{'message' if is_message else kind}".upper()),
                label=Field.LABEL_REPEATED if repeated else Field.LABEL_OPTIONAL,
                type_name=f".{package}.{kind}" if is_message else None,
            )
    return file


def parse(message: MessageClass, body: bytes) -> Any:  # noqa: ANN401 (made at run time)
    """Read a message.

    Raises:
        BadRequestError: The bytes are none.
    """
    try:
        return message.FromString(body)
    except DecodeError:
        raise BadRequestError(
            "The body is not the message of this protocol: it is cut off, damaged, or another one."
        ) from None
