"""Settings: everything that can be set from outside, from the environment or ``.env``.

Each field carries its default, unit and meaning; ``.env.example`` and ``docs/settings.md`` repeat
them and a test holds the three together. A wrong value stops the start and names what is allowed.
"""

from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import SettingsConfigDict

from core.errors import FieldError, SettingsInvalidError
from core.people import read_grants
from core.settings_alerts import AlertSettings
from core.settings_connectors import ConnectorSettings, unset_empty
from core.settings_devices import DeviceSettings
from core.settings_doors import DoorSettings, Names
from core.settings_readers import ReaderSettings
from core.settings_sessions import SessionSettings
from core.settings_speech import SpeechSettings
from core.settings_traces import TraceSettings
from core.urls import is_loopback, is_safe_url

REPOSITORY: Final = Path(__file__).resolve().parent.parent
"""Where the source tree lies; relative paths in settings start here."""

VERSION: Final = "0.1.0"


class Settings(
    DoorSettings,
    ConnectorSettings,
    AlertSettings,
    ReaderSettings,
    SessionSettings,
    SpeechSettings,
    DeviceSettings,
    TraceSettings,
):
    """All settings of all processes."""

    model_config = SettingsConfigDict(
        env_file=REPOSITORY / ".env", env_file_encoding="utf-8", extra="ignore", frozen=True
    )

    database_url: str | None = Field(
        None,
        repr=False,
        description="PostgreSQL URL of an existing TimescaleDB. Empty: a private one is run.",
    )
    postgres_host: str | None = Field(
        None, description="Host of an existing TimescaleDB, when DATABASE_URL is not set."
    )
    postgres_port: int = Field(5432, ge=1, le=65535, description="Port, with POSTGRES_HOST.")
    postgres_user: str = Field("telemetra", description="Role, with POSTGRES_HOST.")
    postgres_password: str = Field("", description="Password, with POSTGRES_HOST.", repr=False)
    postgres_db: str = Field("telemetra", description="Database, with POSTGRES_HOST.")
    redis_url: str | None = Field(
        None,
        repr=False,
        description="URL of an existing Redis or Valkey. Empty: a private one is run.",
    )
    kafka_bootstrap_servers: str | None = Field(
        None,
        description="Kafka brokers, host:port separated by commas, as the bus. Empty: Redis is it.",
    )

    telemetra_data_dir: Path = Field(
        Path(".telemetra"),
        description="Folder for everything that lasts; relative to the source tree.",
    )

    api_title: str = Field("Telemetra", min_length=1, description="Title of the API's pages.")
    api_host: str = Field("127.0.0.1", description="Address that the API listens on.")
    api_port: int = Field(8000, ge=0, le=65535, description="Port of the API; 0 takes a free one.")
    api_open: bool = Field(
        False, description="Serve beyond this machine without keys; only inside a trusted network."
    )
    api_keys: Literal["auto", "required", "off"] = Field(
        "auto",
        description="Whether requests must show a key; auto: as soon as one exists, and always"
        " beyond this machine unless API_OPEN.",
    )
    api_key: str | None = Field(
        None, repr=False, description="Key that the simulator and the replay show to the API."
    )
    rate_limit_per_minute: int | None = Field(
        None,
        ge=0,
        le=10_000_000,
        description="Requests a minute of one key, or of one address without; 0 for no limit."
        " Empty: 6000, and none while only this machine is served.",
    )
    oidc_issuer: str | None = Field(
        None,
        description="OpenID provider whose tokens people may show instead of a key, by its issuer"
        " URL. Empty: keys only.",
    )
    oidc_audience: str = Field(
        "telemetra", min_length=1, description="Audience that a token must be made for."
    )
    oidc_scopes_claim: str = Field(
        "scope",
        min_length=1,
        description="Claim that says what a person may do, by words or a list; dots lead into"
        " objects.",
    )
    oidc_grants: str = Field(
        "",
        description="Which word of that claim allows what, as admins=admin,ops=operate+read."
        " Empty: the names of scopes themselves.",
    )
    oidc_streams_claim: str | None = Field(
        None, description="Claim with the streams that a person reaches. Empty: all."
    )
    cors_origins: Names = Field(
        (), description="Origins that browsers may call the API from, separated by commas."
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", description="Least level that is logged."
    )
    log_format: Literal["auto", "console", "json"] = Field(
        "auto", description="Lines for people or for machines; auto asks whether it is a terminal."
    )
    debug: bool = Field(False, description="Names and traces of inner errors in the log.")

    db_pool_min_size: int = Field(5, ge=1, le=100, description="Connections kept open by the API.")
    db_pool_max_size: int = Field(20, ge=1, le=500, description="Most connections of the API.")
    db_statement_timeout_ms: int = Field(
        5000, ge=100, le=600_000, description="Milliseconds after which a query of the API ends."
    )
    db_pool_queue_max: int = Field(
        1000,
        ge=0,
        le=100_000,
        description="Requests that may wait for a connection; more get 503 at once. 20 connections"
        " serve 1000 within the 2 s that they may wait if a query takes 40 ms.",
    )
    db_pool_wait_ms: int = Field(
        2000,
        ge=10,
        le=60_000,
        description="Milliseconds that a request waits for a connection before it gets 503.",
    )
    db_slow_query_ms: int = Field(
        200,
        ge=0,
        le=600_000,
        description="Milliseconds after which a query of the API is logged as slow, by its name;"
        " 0 logs none.",
    )

    cache_ttl_metrics: int = Field(
        60, ge=1, le=86_400, description="Seconds that a metrics answer stays in the cache."
    )
    cache_ttl_streams: int = Field(
        300,
        ge=1,
        le=86_400,
        description="Seconds that answers about streams stay in the cache; 5 at most, so that a"
        " stream which fell silent is seen to be.",
    )
    live_interval_ms: int = Field(
        250,
        ge=50,
        le=10_000,
        description="Milliseconds between two commits of a shard, and so between live updates.",
    )
    live_chat_messages: int = Field(
        5, ge=0, le=50, description="Last messages of a chat shown with each commit; 0: none."
    )
    live_queue_messages: int = Field(
        1000, ge=10, le=100_000, description="Undelivered messages a live client may have."
    )
    live_connections_max: int = Field(
        20_000, ge=1, le=1_000_000, description="Live connections that one API process takes."
    )
    live_connections_per_address_max: int = Field(
        5_000, ge=1, le=1_000_000, description="Live connections of one address to one process."
    )
    live_connections_per_key_max: int = Field(
        5_000, ge=1, le=1_000_000, description="Live connections of one API key to one process."
    )
    live_send_seconds: int = Field(
        30,
        ge=1,
        le=300,
        description="Seconds that a live client may take nothing before it is cut.",
    )
    live_ping_seconds: int = Field(
        15, ge=1, le=300, description="Seconds without news after which a live client is pinged."
    )

    bus_shards: int = Field(
        16, ge=1, le=1024, description="Shards of the bus; fixed once events have been sent."
    )
    bus_max_entries: int = Field(
        100_000, ge=10, description="Entries a shard holds before senders are told to wait."
    )
    bus_retention_minutes: int = Field(
        15,
        ge=10,
        le=1440,
        description="Minutes that applied entries stay on the bus, for a restart of the flow.",
    )

    ingest_body_max_mb: int = Field(
        16, ge=1, le=1024, description="Megabytes a request may carry, after decompression."
    )
    ingest_past_days: int = Field(
        365, ge=1, le=36_500, description="Days an event's time may lie in the past."
    )
    ingest_ahead_minutes: int = Field(
        10, ge=0, le=1440, description="Minutes an event's time may lie in the future."
    )

    lateness_minutes: int = Field(
        5, ge=0, le=60, description="Minutes after its end during which a minute may change."
    )
    silence_seconds: int = Field(
        10,
        ge=1,
        le=300,
        description="Seconds without events after which the clock closes a minute.",
    )
    retention_raw_days: int = Field(
        30,
        ge=0,
        le=36_500,
        description="Days that raw points, late events and dead letters are kept; 0 keeps them.",
    )
    retention_minutes_days: int = Field(
        400, ge=0, le=36_500, description="Days that minutes are kept; 0 keeps them."
    )
    retention_hours_days: int = Field(
        0, ge=0, le=36_500, description="Days that hours and days are kept; 0 keeps them."
    )
    flow_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        description="Port of the flow's /metrics on API_HOST, the next ones for more processes;"
        " 0 serves none.",
    )
    flow_processes: int = Field(
        1, ge=1, le=8, description="Processes of the flow on one machine, as one cluster."
    )
    flow_snapshot_seconds: int = Field(
        10,
        ge=1,
        le=60,
        description="Seconds between snapshots of the flow: what a restart goes through again.",
    )

    archive_interval_seconds: int = Field(
        30,
        ge=1,
        le=600,
        description="Seconds that the archive gathers events before it writes files.",
    )
    archive_retention_days: int = Field(
        90, ge=1, le=36_500, description="Days that events stay in the archive, by their own time."
    )
    archive_metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of the archive's /metrics on API_HOST; 0 serves none."
    )

    @field_validator("log_level", mode="before")
    @classmethod
    def _upper_level(cls, value: object) -> object:
        return value.upper() if isinstance(value, str) else value

    _own_empty_is_unset = field_validator(
        "database_url",
        "postgres_host",
        "redis_url",
        "kafka_bootstrap_servers",
        "api_key",
        "oidc_issuer",
        "oidc_streams_claim",
        "rate_limit_per_minute",
        mode="before",
    )(unset_empty)

    @field_validator("oidc_issuer")
    @classmethod
    def _is_safe_issuer(cls, value: str | None) -> str | None:
        if value is not None and not is_safe_url(value):
            raise ValueError("begins with https://; http:// only on this machine")
        return value

    @field_validator("oidc_grants")
    @classmethod
    def _are_grants(cls, value: str) -> str:
        read_grants(value)
        return value

    @property
    def data_dir(self) -> Path:
        """The data folder as an absolute path."""
        return (REPOSITORY / self.telemetra_data_dir.expanduser()).resolve()

    @property
    def archive_dir(self) -> Path:
        """The folder of the archive."""
        return self.data_dir / "archive"

    @property
    def external_database_url(self) -> str | None:
        """The database that was set from outside, from either way of naming it."""
        if self.database_url or self.postgres_host is None:
            return self.database_url
        user, password = quote(self.postgres_user, safe=""), quote(self.postgres_password, safe="")
        place = f"{self.postgres_host}:{self.postgres_port}/{self.postgres_db}"
        return f"postgresql://{user}:{password}@{place}"

    @property
    def is_on_loopback(self) -> bool:
        """Whether the API listens to this machine only."""
        return is_loopback(self.api_host)

    @property
    def log_as_json(self) -> bool | None:
        """Whether lines are JSON; None leaves it to the process, which knows its terminal."""
        return {"json": True, "console": False, "auto": None}[self.log_format]

    def require_database_url(self) -> str:
        """Return the database's URL.

        Raises:
            SettingsInvalidError: Neither DATABASE_URL nor POSTGRES_HOST is set.
        """
        if (url := self.external_database_url) is None:
            raise SettingsInvalidError(
                "DATABASE_URL is not set. Set it, or let `telemetra up` run a private database."
            )
        return url

    def require_redis_url(self) -> str:
        """Return the URL of Redis.

        Raises:
            SettingsInvalidError: REDIS_URL is not set.
        """
        if self.redis_url is None:
            raise SettingsInvalidError(
                "REDIS_URL is not set. Set it, or let `telemetra up` run a private Redis."
            )
        return self.redis_url


def load_settings() -> Settings:
    """Read the settings.

    Raises:
        SettingsInvalidError: A value is not allowed; the text names each one and what is.
    """
    try:
        return Settings()
    except ValidationError as error:
        wrong = [
            FieldError("_".join(str(part) for part in item["loc"]).upper(), item["msg"])
            for item in error.errors(include_url=False, include_input=False)
        ]
        text = "; ".join(f"{item.field}: {item.reason}" for item in wrong)
        raise SettingsInvalidError(f"{text}. See .env.example.", errors=wrong) from None
