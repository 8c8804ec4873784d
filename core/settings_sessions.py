"""Settings of sessions, a part of ``core.settings``."""

from pydantic import Field
from pydantic_settings import BaseSettings


class SessionSettings(BaseSettings):
    """How much a session takes at once."""

    session_batch_max_points: int = Field(
        100_000,
        ge=1,
        le=1_000_000,
        description="Points of a session that one batch may bring; more get 413.",
    )
