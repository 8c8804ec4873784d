"""Registrations: what a device says of itself when it connects, with a limit on everything."""

from typing import Annotated, Any, Final, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    StringConstraints,
    ValidationError,
    model_validator,
)

from core.commands import SECONDS_MAX, STAGES
from core.conditions import Comparison
from core.device_schemas import TelemetryTypes, find_parameter_faults
from core.devices import (
    AT_ONCE_MAX,
    AT_ONCE_USUAL,
    ENUM_MAX,
    HEARTBEAT_S_MAX,
    HEARTBEAT_S_MIN,
    HEARTBEAT_S_USUAL,
    PARAMETERS_MAX,
    TEMPLATES_MAX,
    TYPES_MAX,
    VALUE_BYTES_MAX,
    DataType,
    ParameterType,
)
from core.errors import InvalidError
from core.ids import NAME_PATTERN
from db.devices import Registration

# A null character is none that the database could store.
Text: TypeAlias = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00]*$")]
Name: TypeAlias = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
Number: TypeAlias = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Seconds: TypeAlias = Annotated[float, Field(gt=0, le=SECONDS_MAX, allow_inf_nan=False)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore")


class RangeIn(_Part):
    """Between what a value lies."""

    min: Number | None = None
    max: Number | None = None

    @model_validator(mode="after")
    def _is_one(self) -> Self:
        if self.min is not None and self.max is not None and self.max < self.min:
            message = "max is less than min"
            raise ValueError(message)
        return self


class TelemetryTypeIn(_Part):
    """What the values of an id are."""

    data_type: DataType
    unit: Text | None = None
    range: RangeIn | None = None
    enum: list[JsonValue] | None = Field(None, min_length=1, max_length=ENUM_MAX)
    description: Text | None = None


class ParameterIn(_Part):
    """What a parameter of a command may be."""

    type: ParameterType
    required: bool = False
    enum: list[JsonValue] | None = Field(None, min_length=1, max_length=ENUM_MAX)
    min: Number | None = None
    max: Number | None = None
    default: JsonValue = None
    description: Text | None = None


class ParameterValue(BaseModel):
    """The value that a parameter of the command has."""

    model_config = ConfigDict(extra="forbid")

    parameter: Name


class VerifierIn(_Part):
    """How it is known that a stage is reached: the device says so, or telemetry shows it."""

    result: Literal[True] | None = None
    telemetry: Name | None = None
    comparison: Comparison | None = Field(None, alias="is")
    value: ParameterValue | str | bool | Number | None = Field(None, union_mode="left_to_right")
    tolerance: Number | None = Field(None, ge=0)
    within_seconds: Seconds | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        is_told = (self.telemetry, self.comparison, self.value)
        if self.result and any(part is not None for part in is_told):
            message = "either result, or telemetry with is and value"
            raise ValueError(message)
        if not self.result and any(part is None for part in is_told):
            message = 'give {"result": true}, or telemetry with is and value'
            raise ValueError(message)
        return self


class VerifiersIn(BaseModel):
    """A verifier a stage; without one the device's word counts."""

    model_config = ConfigDict(extra="forbid")

    accepted: VerifierIn | None = None
    started: VerifierIn | None = None
    completed: VerifierIn | None = None


class CommandTemplateIn(_Part):
    """A command that a device knows."""

    description: Text | None = None
    dangerous: bool = False
    timeout_seconds: Seconds | None = None
    parameters: dict[Name, ParameterIn] = Field({}, max_length=PARAMETERS_MAX)
    verifiers: VerifiersIn | None = None

    @model_validator(mode="after")
    def _have_fitting_defaults(self) -> Self:
        template = self.model_dump(by_alias=True)
        defaults = {
            name: each.default for name, each in self.parameters.items() if each.default is not None
        }
        optional = {
            name: {**each, "required": False} for name, each in template["parameters"].items()
        }
        faults = find_parameter_faults({"parameters": optional}, defaults)
        if faults:
            message = f"the default of {faults[0].field}: {faults[0].reason}"
            raise ValueError(message)
        return self


class RegistrationIn(_Part):
    """The first message of a device."""

    type: Literal["register"]
    title: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f]*$")] | None = (
        None
    )
    kind: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00-\x1f]*$")] | None = (
        None
    )
    telemetry_types: dict[Name, TelemetryTypeIn] = Field(max_length=TYPES_MAX)
    command_templates: dict[Name, CommandTemplateIn] = Field({}, max_length=TEMPLATES_MAX)
    heartbeat_seconds: float = Field(HEARTBEAT_S_USUAL, ge=HEARTBEAT_S_MIN, le=HEARTBEAT_S_MAX)
    commands_at_once: int = Field(AT_ONCE_USUAL, ge=1, le=AT_ONCE_MAX)

    @model_validator(mode="after")
    def _verify_by_what_is_there(self) -> Self:
        for name, template in self.command_templates.items():
            for stage in STAGES:
                verifier = getattr(template.verifiers, stage, None)
                fault = verifier and _find_verifier_fault(verifier, template, self.telemetry_types)
                if fault:
                    message = f"command_templates.{name}.verifiers.{stage}: {fault}"
                    raise ValueError(message)
        return self


FAULTS_MAX: Final = 20
"""So many faults of a registration are named."""


def read_registration(message: object) -> Registration:
    """Return what a device registers.

    Raises:
        InvalidError: It is no registration; the text names what is wrong where.
    """
    try:
        given = RegistrationIn.model_validate(message)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        faults = [
            f"{'.'.join(map(str, item['loc'])) or 'register'}: {item['msg']}"
            for item in found[:FAULTS_MAX]
        ]
        raise InvalidError("; ".join(faults)) from None
    types = {name: _write(kind) for name, kind in given.telemetry_types.items()}
    templates = {name: _write(template) for name, template in given.command_templates.items()}
    # Whatever else is wrong with a schema is found now and not with the first value.
    TelemetryTypes(types)
    return Registration(
        given.title,
        given.kind,
        types,
        templates,
        given.heartbeat_seconds,
        given.commands_at_once,
    )


def _write(part: BaseModel) -> dict[str, Any]:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def _find_verifier_fault(
    verifier: VerifierIn, template: CommandTemplateIn, types: dict[str, TelemetryTypeIn]
) -> str | None:
    if verifier.telemetry is None:
        return None
    if verifier.telemetry not in types:
        return f"telemetry {verifier.telemetry} is not registered"
    value = verifier.value
    if isinstance(value, ParameterValue) and value.parameter not in template.parameters:
        return f"there is no parameter {value.parameter}"
    if isinstance(value, str) and len(value) > VALUE_BYTES_MAX:
        return "value is too long"
    return None
