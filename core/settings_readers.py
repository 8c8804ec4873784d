"""Settings of the role that dashboards read the database with; part of ``core.settings``."""

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from core.settings_connectors import unset_empty


class ReaderSettings(BaseSettings):
    """The role that can only read."""

    reader_password: str | None = Field(
        None,
        min_length=12,
        # Other characters are normalised by some clients and not by others.
        pattern=r"^[!-~]+$",
        repr=False,
        description="Password of `telemetra_reader`, the role that Grafana reads with; 12 and more"
        " plain characters. Each migration makes the role or brings it up to date. Empty: it is"
        " left as it is.",
    )

    _reader_empty_is_unset = field_validator("reader_password", mode="before")(unset_empty)
