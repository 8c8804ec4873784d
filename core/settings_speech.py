"""Settings of jobs and of speech to text, a part of ``core.settings``."""

from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from core.settings_connectors import unset_empty
from core.urls import is_safe_url


class SpeechSettings(BaseSettings):
    """How jobs run, and who understands speech."""

    jobs_concurrency: int = Field(
        1,
        ge=1,
        le=32,
        description="Jobs that one worker runs at once, scripts aside; one takes about a core.",
    )
    jobs_waiting_max: int = Field(
        100, ge=1, le=100_000, description="Jobs of a kind that may wait; more get 429."
    )
    jobs_attempts_max: int = Field(
        5, ge=1, le=100, description="Times that a job is tried before it has failed."
    )
    jobs_pause_max_seconds: int = Field(
        300, ge=1, le=3600, description="Most seconds between two tries of a job."
    )
    jobs_stalled_seconds: int = Field(
        30,
        ge=3,
        le=3600,
        description="Seconds without a sign of life of a worker after which its jobs are given to"
        " another.",
    )
    jobs_retention_hours: int = Field(
        24, ge=1, le=8760, description="Hours that jobs are kept when they are over."
    )
    jobs_metrics_port: int = Field(
        0, ge=0, le=65535, description="Port of the jobs' /metrics on API_HOST; 0 serves none."
    )

    stt_transcriber: Literal["pocketsphinx", "openai"] = Field(
        "pocketsphinx",
        description="Who makes text of speech: pocketsphinx, on this machine and in English, or"
        " openai, a server that speaks OpenAI's protocol.",
    )
    stt_url: str = Field(
        "https://api.openai.com/v1",
        description="Where that server is, up to and without /audio/transcriptions; http:// only"
        " on this machine or inside STT_TRUSTED.",
    )
    stt_trusted: bool = Field(
        False, description="Speak http:// to STT_URL on another machine of a trusted network."
    )
    stt_api_key: str | None = Field(
        None, repr=False, description="Key that is shown to that server. Empty: none."
    )
    stt_model: str = Field("whisper-1", min_length=1, description="Model that is asked for there.")
    stt_response_format: Literal["verbose_json", "json"] = Field(
        "verbose_json",
        description="What is asked for there; verbose_json tells when each word was said, and"
        " some models know json only.",
    )
    stt_timeout_seconds: int = Field(
        120, ge=1, le=3600, description="Seconds that one attempt to transcribe may take there."
    )
    stt_audio_max_mb: int = Field(
        25, ge=1, le=1024, description="Megabytes of one uploaded piece of audio."
    )
    stt_audio_max_seconds: int = Field(
        600, ge=1, le=7200, description="Seconds of one uploaded piece of audio."
    )
    stt_session_max_mb: int = Field(
        2000, ge=1, le=1_000_000, description="Megabytes of uploaded audio of one session."
    )
    stt_audio_retention_days: int = Field(
        30,
        ge=0,
        le=36_500,
        description="Days that uploaded audio is kept after its task has ended; 0 keeps it.",
    )

    _no_key_is_none = field_validator("stt_api_key", mode="before")(unset_empty)

    @field_validator("stt_url")
    @classmethod
    def _is_stt_place(cls, value: str) -> str:
        if not value.startswith(("http://", "https://")):
            raise ValueError("begins with http:// or https://")
        return value.rstrip("/")

    @property
    def is_stt_url_safe(self) -> bool:
        """Whether a key and audio may travel there."""
        return self.stt_trusted or is_safe_url(self.stt_url)
