"""Descriptions: a device that speaks MQTT, as a YAML file says it.

    device: press_7
    telemetry:
      temperature: {topic: press/7/temperature, unit: °C}
    commands:
      heat: {topic: press/7/commands, parameters: {power: {type: int, required: true}}}
    results: {topic: press/7/results}

``docs/rigs.md`` says what each field means. What cannot work is refused before anything connects.
"""

from pathlib import Path
from string import Template
from typing import Annotated, Any, Final, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from core.errors import InvalidError, SettingsInvalidError
from core.yaml_texts import TEXT_BYTES_MAX, read_yaml

TOPIC_BYTES_MAX: Final = 65_535
ANSWER_S_USUAL: Final = 30.0
ANSWER_S_MAX: Final = 7 * 86_400.0

OWN_NAMES: Final = frozenset({"command_id", "command"})
"""What a payload may name beside parameters."""

Stage = Literal["acknowledged", "running", "succeeded", "failed"]


def _check_topic(topic: str) -> str:
    if not topic or len(topic.encode(errors="replace")) > TOPIC_BYTES_MAX:
        raise ValueError("a topic has 1 to 65535 bytes")
    if not topic.isprintable() or set(topic) & set("+#"):
        raise ValueError(f"{topic!r} is no single topic: no + and # here")
    return topic


Topic = Annotated[str, AfterValidator(_check_topic)]
Name = Annotated[str, Field(min_length=1, max_length=128)]

Told = Annotated[str, BeforeValidator(lambda told: told if isinstance(told, str) else str(told))]
"""A text; YAML reads some of them as numbers."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TelemetryPart(_Part):
    """One value, and where in which topic it stands."""

    topic: Topic
    field: str | None = None
    """A path as load.percent into an object; without it the payload is the value."""

    time: str | None = None
    """The field that says when it was measured."""

    retained: Literal["ignore", "keep"] = "ignore"
    unit: str | None = None
    data_type: Literal["int", "float", "string", "boolean", "array", "object"] = "float"
    min: float | None = None
    max: float | None = None
    enum: list[Any] | None = None
    description: str | None = None

    @property
    def quality(self) -> int:
        """What to ask the broker for.

        A value that says when it was measured may come late; of the others a broker must keep none
        while we are away, for they would seem to be of the time when they come.
        """
        return 1 if self.time else 0


class CommandPart(_Part):
    """One command, and how the device is told."""

    topic: Topic
    payload: str | None = None
    """With $parameter, $command_id and $command; without it an object with all of them."""

    answers: bool = True
    """Whether the device tells results; else it is done when the broker has it."""

    cancel_topic: Topic | None = None
    description: str | None = None
    dangerous: bool | None = None
    timeout_seconds: float = Field(ANSWER_S_USUAL, gt=0, le=ANSWER_S_MAX)
    parameters: dict[Name, dict[str, Any]] = Field(default_factory=dict, max_length=50)
    verifiers: dict[str, Any] | None = None

    @model_validator(mode="after")
    def _check_payload(self) -> "CommandPart":
        if self.payload is None:
            return self
        template = Template(self.payload)
        if not template.is_valid():
            raise ValueError("payload: a $ is written $$, and names follow it as in $power")
        for name in sorted(set(template.get_identifiers()) - OWN_NAMES):
            about = self.parameters.get(name)
            if about is None:
                raise ValueError(f"payload: ${name} is no parameter")
            if not about.get("required") and about.get("default") is None:
                raise ValueError(f"payload: ${name} may be left out; require it or give a default")
        return self


class ResultsPart(_Part):
    """Where results come, and which fields of their objects say what."""

    topic: Topic
    id: str = "command_id"
    stage: str = "stage"
    message: str = "message"
    details: str = "details"
    stages: dict[str, Stage] = Field(default_factory=dict)
    """The device's words for stages, where they are others."""


class PresencePart(_Part):
    """Where the device, or the broker in its name, says whether it is there."""

    topic: Topic
    offline: Told = "offline"


class Description(_Part):
    """A whole device."""

    device: str = Field(pattern=r"^[A-Za-z0-9_.:@~+=#-]{1,128}$")
    title: str | None = Field(None, max_length=200)
    telemetry: dict[Name, TelemetryPart] = Field(default_factory=dict, max_length=1000)
    commands: dict[Name, CommandPart] = Field(default_factory=dict, max_length=200)
    results: ResultsPart | None = None
    presence: PresencePart | None = None

    @model_validator(mode="after")
    def _check_whole(self) -> "Description":
        if not self.telemetry and not self.commands:
            raise ValueError("it measures nothing and does nothing")
        if self.results is None:
            asks = [name for name, part in self.commands.items() if part.answers]
            if asks:
                raise ValueError(f"{asks[0]} answers where? Name results, or say answers: false")
        return self


def read_description(path: Path) -> Description:
    """Read a file.

    Raises:
        SettingsInvalidError: It cannot be read, or cannot work; the text says where and why.
    """
    try:
        if path.stat().st_size > TEXT_BYTES_MAX:
            raise SettingsInvalidError(f"{path} is longer than {TEXT_BYTES_MAX} bytes.")
        return Description.model_validate(read_yaml(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsInvalidError(f"{path} cannot be read: {error.strerror}.") from error
    except UnicodeError as error:
        raise SettingsInvalidError(f"{path} is no text.") from error
    except InvalidError as error:
        raise SettingsInvalidError(f"{path} is no YAML: {error.detail}") from error
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"])) or "it"
        raise SettingsInvalidError(f"{path}: {place}: {first['msg']}.") from error
