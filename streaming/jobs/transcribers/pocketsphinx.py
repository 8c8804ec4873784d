"""Pocketsphinx: speech to text on this machine, in English, with nothing to fetch.

It is good at sentences of a grammar and poor at free speech. Utterances are understood one after
the other, and each is told when it is.
"""

import asyncio
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson
import structlog
from typing_extensions import override

from core.audio import SECOND_BYTES
from core.settings import REPOSITORY
from core.transcripts import WORDS_MAX, Hints, Partial, Transcript, Word, join_text
from streaming.jobs.transcribers.base import Transcriber, TranscriptionFailedError

LANGUAGES: Final = frozenset({None, "en"})

START_S_MAX: Final = 60.0
SLOWNESS_MAX: Final = 20.0
"""Seconds that a second of audio may take; on an idle core one takes less than one."""

LINE_BYTES_MAX: Final = 4 * 1024**2
"""Of one utterance with its words: those of 30 s take some kilobytes."""

ENVIRONMENT: Final = {"OPENBLAS_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


class PocketsphinxTranscriber(Transcriber):
    """Runs a recogniser for each piece of audio."""

    name: ClassVar[str] = "pocketsphinx"

    @override
    async def transcribe(
        self, samples: Path, hints: Hints
    ) -> AsyncGenerator[Partial | Transcript, None]:
        if hints.language not in LANGUAGES:
            raise TranscriptionFailedError(
                f"The transcriber of this machine knows English only, not {hints.language!r}."
            )
        size = (await asyncio.to_thread(samples.stat)).st_size
        limit_s = START_S_MAX + SLOWNESS_MAX * size / SECOND_BYTES
        texts: list[str] = []
        words: list[Word] = []
        try:
            async with asyncio.timeout(limit_s), _recognising(samples, hints.grammar) as told:
                async for each in told:
                    if each["text"]:
                        texts.append(each["text"])
                        words += [Word(**word) for word in each["words"]]
                    yield Partial(join_text(texts), each["progress"])
        except TimeoutError:
            raise TranscriptionFailedError(
                f"Transcribing took longer than {limit_s:.0f} s. Send the audio in pieces."
            ) from None
        yield Transcript(join_text(texts), tuple(words[:WORDS_MAX]))

    @override
    async def close(self) -> None:
        return


@asynccontextmanager
async def _recognising(
    samples: Path, grammar: str | None
) -> AsyncIterator[AsyncIterator[dict[str, Any]]]:
    """Lend what a recogniser tells; it is gone afterwards, whatever happens.

    Raises:
        TranscriptionFailedError: It ended before its time.
    """
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "streaming.jobs.transcribers.recognisers"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        limit=LINE_BYTES_MAX,
        cwd=REPOSITORY,
        env=ENVIRONMENT,
    )
    assert process.stdin is not None  # noqa: S101 (both were asked for above)
    assert process.stdout is not None  # noqa: S101
    try:
        process.stdin.write(orjson.dumps({"samples": str(samples), "grammar": grammar}) + b"\n")
        yield _read(process.stdout)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _read(stream: asyncio.StreamReader) -> AsyncIterator[dict[str, Any]]:
    while line := await stream.readline():
        told = orjson.loads(line)
        if told["type"] == "end":
            return
        if told["type"] == "refused":
            raise TranscriptionFailedError(f"grammar: {told['reason']}.")
        yield told
    raise TranscriptionFailedError("The recogniser ended before it was done with the audio.")
