"""Settings of doors, a part of ``core.settings``."""

from typing import Annotated, TypeAlias

from pydantic import BeforeValidator, Field
from pydantic_settings import BaseSettings, NoDecode

from core.ids import NAME_PATTERN


def _split_names(value: object) -> object:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return value


Names: TypeAlias = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split_names)]
"""A list, separated by commas."""


class DoorSettings(BaseSettings):
    """How much comes in at once, and what a line, a series or a data point becomes."""

    ingest_held_max_mb: int = Field(
        256,
        ge=1,
        description="Megabytes of bodies, plain ones among them, that an API process holds at"
        " once; beyond that senders are asked to come again. A body that is alone always fits.",
    )
    influx_stream_tags: Names = Field(
        ("stream_id", "host"),
        description="Tags of the InfluxDB line protocol that name the stream, separated by commas;"
        " a line's first of them is taken, and the bucket or database where it has none.",
    )
    remote_write_stream_labels: Names = Field(
        ("stream_id", "instance", "job"),
        description="Labels that name the stream of a Prometheus series; the first it has does.",
    )
    remote_write_stream: str = Field(
        "prometheus",
        pattern=NAME_PATTERN,
        description="Stream of Prometheus series that have none of those labels.",
    )
    remote_write_labels_left_out: Names = Field(
        (),
        description="Labels that no channel is named after. Series that only these tell apart"
        " share a channel.",
    )
    otlp_stream_attributes: Names = Field(
        ("telemetra.stream_id", "service.name", "host.name"),
        description="Resource attributes that name the stream of OTLP metrics; the first that is"
        " there does.",
    )
    otlp_stream: str = Field(
        "otlp",
        pattern=NAME_PATTERN,
        description="Stream of OTLP metrics whose resource has none of those attributes.",
    )
    otlp_attributes_left_out: Names = Field(
        (),
        description="Attributes of data points that no channel is named after. Points that only"
        " these tell apart share a channel.",
    )
