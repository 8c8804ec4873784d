"""Settings of alerts, a part of ``core.settings``."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from core.settings_connectors import unset_empty


class AlertSettings(BaseSettings):
    """How alerts are sent."""

    public_url: str | None = Field(
        None,
        description="Where people reach the page, as https://telemetra.example.com, for links in"
        " alerts. Empty: links have no host.",
    )
    alerts_attempts_max: int = Field(
        500,
        ge=1,
        le=10_000,
        description="Attempts after which a delivery has failed.",
    )
    alerts_retry_hours: int = Field(
        24, ge=1, le=168, description="Hours after the first attempt that a delivery is retried."
    )
    alerts_pause_max_seconds: int = Field(
        300, ge=1, le=3600, description="Most seconds between two attempts of a delivery."
    )
    alerts_lease_seconds: int = Field(
        15,
        ge=1,
        le=600,
        description="Seconds beyond a route's time-out after which another worker takes over a"
        " delivery whose worker says nothing.",
    )
    alerts_sends_max: int = Field(
        64, ge=1, le=1000, description="Deliveries that a worker sends at once, over all routes."
    )
    alerts_resend_seconds: int = Field(
        60,
        ge=1,
        le=3600,
        description="Seconds between two tellings of what goes on to an Alertmanager. It takes an"
        " alert for resolved when it has heard nothing for four times as long.",
    )
    alerts_metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of the alerts' /metrics on API_HOST; 0 serves none."
    )

    _no_url_is_none = field_validator("public_url", mode="before")(unset_empty)

    @field_validator("public_url")
    @classmethod
    def _is_place(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith(("http://", "https://")):
            raise ValueError("begins with http:// or https://")
        return value if value is None else value.rstrip("/")

    @property
    def link_base(self) -> str:
        """What links in alerts begin with; empty where nobody said."""
        return self.public_url or ""
