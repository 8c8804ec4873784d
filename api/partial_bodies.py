"""Partial bodies: requests that name what to change, and leave out what stays.

name: str = Field(LEFT_OUT, json_schema_extra=describe_left_out)
"""

from typing import Any, Final

LEFT_OUT: Final[Any] = None
"""The value of a field that a request does not name; it is never looked at. A request that names
null where null is no value is refused."""


def describe_left_out(schema: dict[str, Any]) -> None:
    """Take the default off the description of a field that has none."""
    schema.pop("default", None)
