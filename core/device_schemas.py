"""Device schemas: what a device registered, compiled once, and what does not fit it, in words.

Used by whoever holds the device's socket for values, and by whoever takes commands for parameters.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, TypeAlias

import jsonschema_rs
import orjson

from core.commands import PARAMETERS_BYTES_MAX
from core.devices import VALUE_BYTES_MAX, write_parameters_schema, write_value_schema
from core.errors import FieldError

Checked: TypeAlias = jsonschema_rs.Draft202012Validator

COMPILED_MAX: Final = 2_000
"""Templates whose schema is kept compiled: ten devices with as many as they may have."""


class TelemetryTypes:
    """The types of one device."""

    def __init__(self, types: Mapping[str, Mapping[str, Any]]) -> None:
        self._checks = {
            name: jsonschema_rs.Draft202012Validator(write_value_schema(kind))
            for name, kind in types.items()
        }
        self.units: dict[str, str | None] = {
            name: kind.get("unit") or None for name, kind in types.items()
        }

    def find_fault(self, name: object, value: object) -> str | None:
        """Say why a value is no value of a type; None when it is."""
        check = self._checks.get(name) if isinstance(name, str) else None
        if check is None:
            return f"id: {str(name)[:128]!r} is not registered"
        if check.is_valid(value):
            is_small = isinstance(value, int | float)
            if is_small or len(orjson.dumps(value)) <= VALUE_BYTES_MAX:
                return None
            return f"value: longer than {VALUE_BYTES_MAX} bytes of JSON"
        return "value: " + _name_fault(check.iter_errors(value))


def find_parameter_faults(
    template: Mapping[str, Any], parameters: Mapping[str, Any]
) -> list[FieldError]:
    """Return what is wrong with the parameters of a command."""
    try:
        size = len(orjson.dumps(parameters))
    except orjson.JSONEncodeError as error:
        # A whole number of more than 64 bits, or what is no text at all.
        return [FieldError("parameters", f"hold what cannot be sent: {error}")]
    if size > PARAMETERS_BYTES_MAX:
        return [FieldError("parameters", f"longer than {PARAMETERS_BYTES_MAX} bytes of JSON")]
    check = _compile(orjson.dumps(write_parameters_schema(template)))
    return [
        FieldError(".".join(("parameters", *map(str, error.instance_path))), _shorten(error))
        for error in check.iter_errors(parameters)
    ]


@lru_cache(maxsize=COMPILED_MAX)
def _compile(schema: bytes) -> Checked:
    return jsonschema_rs.Draft202012Validator(orjson.loads(schema))


def _name_fault(errors: Iterable[jsonschema_rs.ValidationError]) -> str:
    return "; ".join(_shorten(error) for error in errors)[:500]


def _shorten(error: jsonschema_rs.ValidationError) -> str:
    return error.message[:300]
