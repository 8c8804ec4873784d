"""Settings of traces, a part of ``core.settings``: the variables that OpenTelemetry names."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from core.settings_connectors import unset_empty


class TraceSettings(BaseSettings):
    """Where spans go, and which."""

    otel_exporter_otlp_endpoint: str | None = Field(
        None,
        description="OpenTelemetry collector that traces are sent to, over HTTP, as"
        " http://host:4318. Empty: there are none. Headers, certificates and sizes: the other"
        " OTEL_ variables, from the environment.",
    )
    otel_exporter_otlp_traces_endpoint: str | None = Field(
        None, description="The same with its path, where it is not /v1/traces below that."
    )
    otel_traces_sampler: Literal[
        "always_on",
        "always_off",
        "traceidratio",
        "parentbased_always_on",
        "parentbased_always_off",
        "parentbased_traceidratio",
    ] = Field("parentbased_always_on", description="Which requests are traced.")
    otel_traces_sampler_arg: float = Field(
        1.0, ge=0, le=1, description="Share of requests that are traced, for traceidratio."
    )
    otel_sdk_disabled: bool = Field(False, description="No traces, whatever else is set.")

    _unset_empty_endpoints = field_validator(
        "otel_exporter_otlp_endpoint", "otel_exporter_otlp_traces_endpoint", mode="before"
    )(unset_empty)

    @field_validator("otel_exporter_otlp_endpoint", "otel_exporter_otlp_traces_endpoint")
    @classmethod
    def _is_web_address(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("begins with http:// or https://")
        return value

    @property
    def traces_endpoint(self) -> str | None:
        """Where spans are sent; None when there are none."""
        if self.otel_sdk_disabled:
            return None
        if self.otel_exporter_otlp_traces_endpoint is not None:
            return self.otel_exporter_otlp_traces_endpoint
        base = self.otel_exporter_otlp_endpoint
        return None if base is None else f"{base.rstrip('/')}/v1/traces"
