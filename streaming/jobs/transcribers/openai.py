"""OpenAI: speech to text by a server that speaks OpenAI's protocol: theirs, Groq's, one of yours.

    POST {STT_URL}/audio/transcriptions   multipart: file, model, response_format, language, prompt

What may pass (no answer, 408, 409, 429, 5xx) is tried again here a few times, as patiently as the
server asks for; what stays so is given back to the queue, which waits longer. All else is final.
"""

import asyncio
import random
import wave
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import httpx
import orjson
from typing_extensions import override

from core import metrics
from core.audio import RATE_HZ, SAMPLE_BYTES
from core.doublings import double
from core.errors import SettingsInvalidError
from core.grammars import list_words
from core.settings import Settings
from core.transcripts import WORDS_MAX, Hints, Partial, Transcript, Word, join_text
from streaming.jobs.transcribers.base import (
    Transcriber,
    TranscriberAwayError,
    TranscriptionFailedError,
)

CONNECT_S_MAX: Final = 5.0
ANSWER_BYTES_MAX: Final = 8 * 1024**2
"""Of a transcript with its words: those of two hours take three megabytes."""

COPY_BYTES: Final = 1024**2
REASON_LENGTH_MAX: Final = 300
PROMPT_LENGTH_MAX: Final = 600
"""Signs: of a prompt the last 224 tokens count."""

PASSING: Final = frozenset({408, 409, 425, 429})
"""Refusals that speak of the moment; of 5xx all do."""

KEY_REFUSED: Final = frozenset({401, 403})

Fields: TypeAlias = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a server is asked at once, before the queue waits."""

    tries: int = 3
    first_pause_s: float = 1.0
    pause_s_max: float = 20.0


class _PassingError(Exception):
    """It may work the next time."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


class OpenAITranscriber(Transcriber):
    """Sends audio to a server."""

    name: ClassVar[str] = "openai"

    def __init__(self, settings: Settings, retries: RetryPolicy | None = None) -> None:
        if not settings.is_stt_url_safe:
            raise SettingsInvalidError(
                "STT_URL: begins with https://; http:// only on this machine, or with STT_TRUSTED."
            )
        self._settings = settings
        self._retries = retries or RetryPolicy()
        headers = {}
        if settings.stt_api_key is not None:
            headers["Authorization"] = f"Bearer {settings.stt_api_key}"
        seconds = float(settings.stt_timeout_seconds)
        self._client = httpx.AsyncClient(
            headers=headers,
            timeout=httpx.Timeout(seconds, connect=CONNECT_S_MAX),
            follow_redirects=False,
        )

    @override
    async def transcribe(
        self, samples: Path, hints: Hints
    ) -> AsyncGenerator[Partial | Transcript, None]:
        file = samples.with_suffix(".wav")
        await asyncio.to_thread(write_wav, samples, file)
        try:
            yield Partial("", 0.0)
            answer = await self._ask_until_answered(file, hints)
        finally:
            await asyncio.to_thread(file.unlink, missing_ok=True)
        yield read_answer(answer)

    @override
    async def close(self) -> None:
        await self._client.aclose()

    async def _ask_until_answered(self, file: Path, hints: Hints) -> bytes:
        policy = self._retries
        for number in range(policy.tries):
            try:
                return await self._ask(file, hints)
            except _PassingError as error:
                metrics.stt_requests_retried_total.inc()
                reason, after_s = str(error), error.after_s
                # An even draw: those that failed together do not come back together.
                pause_s = random.uniform(0.5, 1.0) * double(  # noqa: S311 (no secret)
                    policy.first_pause_s, policy.pause_s_max, number
                )
                pause_s = max(pause_s, after_s or 0.0)
                if number + 1 == policy.tries or pause_s > policy.pause_s_max:
                    break
                await asyncio.sleep(pause_s)
        whole_s = None if after_s is None else round(after_s + 0.5)
        raise TranscriberAwayError(f"The transcriber is away: {reason}", retry_after_s=whole_s)

    async def _ask(self, file: Path, hints: Hints) -> bytes:
        try:
            async with asyncio.timeout(self._settings.stt_timeout_seconds):
                return await self._post(file, hints)
        except TimeoutError:
            seconds = self._settings.stt_timeout_seconds
            raise _PassingError(f"it took longer than {seconds} s.") from None
        except (httpx.TransportError, httpx.DecodingError) as error:
            raise _PassingError(f"it cannot be reached ({type(error).__name__}).") from error

    async def _post(self, file: Path, hints: Hints) -> bytes:
        url = f"{self._settings.stt_url}/audio/transcriptions"
        with file.open("rb") as opened:
            sent = {"file": ("audio.wav", opened, "audio/wav")}
            data = write_fields(self._settings, hints)
            async with self._client.stream("POST", url, data=data, files=sent) as response:
                body = await _read_bounded(response)
        if response.status_code != httpx.codes.OK:
            raise _judge(response, body)
        return body


def write_fields(settings: Settings, hints: Hints) -> Fields:
    """Return the fields of a request, beside the file."""
    fields: Fields = {
        "model": settings.stt_model,
        "response_format": settings.stt_response_format,
        "temperature": "0",
    }
    if settings.stt_response_format == "verbose_json":
        fields["timestamp_granularities[]"] = ["word"]
    if hints.language is not None:
        fields["language"] = hints.language
    if hints.grammar is not None:
        # A model takes no grammar; the words that can come help it to spell them.
        fields["prompt"] = ", ".join(list_words(hints.grammar))[:PROMPT_LENGTH_MAX]
    return fields


def write_wav(samples: Path, file: Path) -> None:
    """Write samples as a WAV file."""
    with samples.open("rb") as source, wave.open(str(file), "wb") as target:
        target.setnchannels(1)
        target.setsampwidth(SAMPLE_BYTES)
        target.setframerate(RATE_HZ)
        while chunk := source.read(COPY_BYTES):
            target.writeframesraw(chunk)


def read_answer(body: bytes) -> Transcript:
    """Return the transcript of an answer, with its words where there are any.

    Raises:
        TranscriptionFailedError: It is no answer of this protocol.
    """
    try:
        answer = orjson.loads(body)
        text = answer["text"].strip()
        words = tuple(
            Word(str(each["word"]).strip(), float(each["start"]), float(each["end"]))
            for each in (answer.get("words") or [])[:WORDS_MAX]
        )
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise TranscriptionFailedError(
            "The transcriber's answer cannot be read. Check that STT_URL speaks OpenAI's protocol."
        ) from error
    return Transcript(join_text([text]), words)


def _judge(response: httpx.Response, body: bytes) -> Exception:
    status = response.status_code
    if status in PASSING or status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return _PassingError(f"it answered {status}.", _read_patience(response))
    if status in KEY_REFUSED:
        # What it says may quote the key.
        return TranscriptionFailedError(
            f"The transcriber refused our key ({status}). Set STT_API_KEY."
        )
    return TranscriptionFailedError(f"The transcriber refused ({status}): {_read_reason(body)}")


def _read_reason(body: bytes) -> str:
    try:
        told: Any = orjson.loads(body)["error"]
        reason = told["message"] if isinstance(told, dict) else told
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return "it did not say why."
    return " ".join(str(reason).split())[:REASON_LENGTH_MAX]


def _read_patience(response: httpx.Response) -> float | None:
    told = response.headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() and len(told) <= 6 else None


async def _read_bounded(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > ANSWER_BYTES_MAX:
            raise TranscriptionFailedError("The transcriber's answer is too long to be one.")
    return body
