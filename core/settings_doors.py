"""Settings of doors for other protocols, a part of ``core.settings``."""

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode


class DoorSettings(BaseSettings):
    """How what other protocols say becomes events."""

    influx_stream_tags: Annotated[tuple[str, ...], NoDecode] = Field(
        ("stream_id", "host"),
        description="Tags of the InfluxDB line protocol that name the stream, separated by commas;"
        " a line's first of them is taken, and the bucket or database where it has none.",
    )

    @field_validator("influx_stream_tags", mode="before")
    @classmethod
    def _split_tags(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value
