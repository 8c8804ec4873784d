"""Settings of devices, a part of ``core.settings``."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from core.commands import SECONDS_MAX
from core.events import NAME_PATTERN
from core.settings_connectors import unset_empty


class DeviceSettings(BaseSettings):
    """Which device is meant, how many there are, and how long a command may take."""

    device_default: str | None = Field(
        None,
        pattern=NAME_PATTERN,
        description="Device that is meant where a request names none. Empty: the only one, or the"
        " only one that knows the command.",
    )
    device_links_max: int = Field(
        500, ge=1, description="Devices that may be connected to one API process."
    )
    device_command_seconds: float = Field(
        60.0,
        gt=0,
        le=SECONDS_MAX,
        description="Seconds until a command is given up, where neither the request nor the"
        " device's template says.",
    )

    jobs_scripts_concurrency: int = Field(
        50, ge=1, le=1000, description="Scripts that one worker runs at once; they mostly wait."
    )

    _device_empty_is_unset = field_validator("device_default", mode="before")(unset_empty)
