"""Settings of connectors, a part of ``core.settings``."""

from pathlib import Path

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings


def unset_empty(value: object) -> object:
    """Take a setting that is there without a text for one that is not there."""
    return None if value == "" else value


class ConnectorSettings(BaseSettings):
    """What connectors are told from outside, beside their command lines."""

    connectors: str = Field(
        "",
        description="Connectors that `telemetra up` runs, each as after `telemetra connect`,"
        " separated by semicolons: twitch --channel a,b; …",
    )
    connector_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of a connector's /metrics on API_HOST; 0 serves none. Several on one"
        " machine are told apart by --metrics-port.",
    )
    twitch_client_id: str | None = Field(
        None,
        description="Client id of an application registered at Twitch, for viewer counts, titles"
        " and categories. Empty: chat only, which needs no account.",
    )
    twitch_client_secret: str | None = Field(
        None, repr=False, description="Its secret, with TWITCH_CLIENT_ID."
    )
    kafka_source_servers: str | None = Field(
        None,
        description="Brokers, host:port separated by commas, that `telemetra connect kafka` reads"
        " from; those of the bus are KAFKA_BOOTSTRAP_SERVERS.",
    )
    kafka_source_config: Path | None = Field(
        None,
        description="File with name=value lines for the client of those brokers, as"
        " sasl.password=…, which do not belong on a command line.",
    )
    mqtt_username: str | None = Field(None, description="User that `telemetra connect mqtt` is.")
    mqtt_password: str | None = Field(None, repr=False, description="That user's password.")

    _empty_is_unset = field_validator(
        "twitch_client_id",
        "twitch_client_secret",
        "kafka_source_servers",
        "kafka_source_config",
        "mqtt_username",
        "mqtt_password",
        mode="before",
    )(unset_empty)
