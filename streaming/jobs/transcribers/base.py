"""Transcribers: the port behind which speech becomes text.

samples, hints -> partial, partial, … -> a transcript

pocketsphinx.py   on this machine, in English, with nothing to fetch
openai.py         a server that speaks OpenAI's protocol
"""

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import ClassVar, Protocol

from core.errors import TelemetraError
from core.transcripts import Hints, Partial, Transcript


class TranscriptionFailedError(TelemetraError):
    """This audio will never be understood this way: trying again changes nothing."""

    code = "transcription_failed"
    title = "The audio could not be transcribed"


class TranscriberAwayError(TelemetraError):
    """Whoever transcribes is away, slow or busy: the same again may succeed."""

    status = 503
    code = "transcriber_away"
    title = "The transcriber is away"


class Transcriber(Protocol):
    """Makes text of speech."""

    name: ClassVar[str]

    def transcribe(self, samples: Path, hints: Hints) -> AsyncGenerator[Partial | Transcript, None]:
        """Tell what is understood so far, again and again, and at last the transcript.

        Args:
            samples: A file of 16 kHz samples, one channel, 16 bits, with nothing around them.
            hints: What is known of the audio.

        Raises:
            TranscriptionFailedError: It cannot be done, now or later; the text says why.
            TranscriberAwayError: It can be tried again.
        """
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
