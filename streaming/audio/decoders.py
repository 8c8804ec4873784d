"""Decoders: audio of any of the formats as 16 kHz samples, by ffmpeg in a process of its own.

    file -> ffmpeg (one demuxer, few decoders, no network, bounded) -> pipe -> samples

What somebody uploaded is read by the demuxer of the format that its first bytes told, so that no
playlist or list of other files is ever followed, and by a process that may use little.
"""

import asyncio
import functools
import resource
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import imageio_ffmpeg
import numpy as np
import structlog

from core.audio import (
    FORMATS,
    FRAME_SAMPLES,
    HEAD_BYTES,
    RATE_HZ,
    SAMPLE_BYTES,
    AudioFormat,
    Levels,
    find_format,
    is_silent,
    measure_levels,
)
from core.errors import (
    FieldError,
    InvalidError,
    ServiceMissingError,
    TooLargeError,
    UnsupportedMediaError,
)
from core.transcripts import NO_SPEECH

CHUNK_BYTES: Final = FRAME_SAMPLES * SAMPLE_BYTES * 64
"""Two seconds: whole frames, so that levels can be taken chunk by chunk."""

DECODE_S_MAX: Final = 60.0
"""Ten minutes of audio take one second, twenty on a machine that is busy."""

CPU_S_MAX: Final = 60
MEMORY_BYTES_MAX: Final = 2 * 1024**3
"""Of addresses, not of memory: ffmpeg maps much more than it uses."""

ERROR_BYTES_MAX: Final = 4096
TOLD_LENGTH_MAX: Final = 200
"""Of that in a line of the log."""

DEMUXERS: Final = {
    AudioFormat.WAV: "wav",
    AudioFormat.FLAC: "flac",
    AudioFormat.OGG: "ogg",
    AudioFormat.WEBM: "matroska",
    AudioFormat.MP4: "mov",
}
DECODERS: Final = ",".join(
    (
        "pcm_u8,pcm_s16le,pcm_s24le,pcm_s32le,pcm_f32le,pcm_f64le,pcm_alaw,pcm_mulaw",
        "flac,vorbis,libvorbis,opus,libopus,aac,alac,mp3,mp3float",
    )
)
"""What these formats hold when they hold sound; all other decoders are out of reach."""

log: structlog.typing.FilteringBoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Sound:
    """What a file was found to hold."""

    form: AudioFormat
    duration_s: float


@functools.cache
def find_ffmpeg() -> str:
    """Return ffmpeg: the one that was installed with us, or the machine's own.

    Raises:
        ServiceMissingError: There is neither.
    """
    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError:
        if found := shutil.which("ffmpeg"):
            return found
    raise ServiceMissingError("ffmpeg is missing. Install imageio-ffmpeg, or the system's ffmpeg.")


def read_format(file: Path) -> AudioFormat:
    """Return the format of a file.

    Raises:
        UnsupportedMediaError: It is none that is taken.
    """
    with file.open("rb") as opened:
        form = find_format(opened.read(HEAD_BYTES))
    if form is None:
        raise UnsupportedMediaError(
            f"audio: it is none of {FORMATS}, by its first bytes. Send it in one of them."
        )
    return form


async def check_sound(file: Path, *, seconds_max: int) -> Sound:
    """Decode a file without keeping it, and return what it holds.

    Raises:
        UnsupportedMediaError: Its format is not taken.
        TooLargeError: It is longer than it may be.
        InvalidError: It is damaged, holds no sound, or nobody speaks in it.
    """
    form = await asyncio.to_thread(read_format, file)
    found: list[Levels] = []
    size = 0
    async with decoding(file, form, seconds_max=seconds_max + 1) as chunks:
        async for chunk in chunks:
            size += len(chunk)
            found.append(measure_levels(np.frombuffer(chunk[: len(chunk) // 2 * 2], np.int16)))
    duration_s = size / SAMPLE_BYTES / RATE_HZ
    if duration_s > seconds_max:
        raise TooLargeError(f"audio: it is longer than {seconds_max} s. Send it in pieces.")
    if is_silent(np.concatenate(found) if found else np.zeros(0, np.float32)):
        raise _refuse(f"it is silent. {NO_SPEECH} Check the microphone.")
    return Sound(form, duration_s)


async def decode(file: Path, target: Path, *, seconds_max: int) -> None:
    """Write the samples of a file, as they are in memory, into another one.

    Raises:
        InvalidError: It is damaged or holds no sound.
        UnsupportedMediaError: Its format is not taken.
    """
    form = await asyncio.to_thread(read_format, file)
    with target.open("wb") as opened:
        async with decoding(file, form, seconds_max=seconds_max + 1) as chunks:
            async for chunk in chunks:
                await asyncio.to_thread(opened.write, chunk)


@asynccontextmanager
async def decoding(
    file: Path, form: AudioFormat, *, seconds_max: int
) -> AsyncIterator[AsyncIterator[bytes]]:
    """Lend the samples of a file in chunks; what decodes them is gone afterwards.

    Raises:
        InvalidError: It is damaged, holds no sound, or takes too long to read.
    """
    process = await asyncio.create_subprocess_exec(
        *_command(file, form, seconds_max),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        preexec_fn=_limit if sys.platform == "linux" else None,
    )
    assert process.stdout is not None  # noqa: S101 (both were asked for above)
    assert process.stderr is not None  # noqa: S101
    telling = asyncio.create_task(_read_end(process.stderr))
    try:
        async with asyncio.timeout(DECODE_S_MAX):
            yield _read_chunks(process.stdout)
            code = await process.wait()
            told = await telling
    except TimeoutError:
        raise _refuse("it takes too long to read. Send it as WAV.") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
        telling.cancel()
    # Some damage is skipped over and only complained about: what is left is not what was said.
    if code != 0 or told:
        log.info("audio_undecodable", code=code, told=told[:TOLD_LENGTH_MAX])
        raise _refuse(
            f"it cannot be decoded: it is damaged, cut off or holds no sound ({form}). "
            "Play it to see that it is whole, and send it again."
        )


def _refuse(reason: str) -> InvalidError:
    return InvalidError(f"audio: {reason}", errors=[FieldError("audio", reason)])


def _command(file: Path, form: AudioFormat, seconds_max: int) -> list[str]:
    reading = ["-protocol_whitelist", "file", "-codec_whitelist", DECODERS, "-xerror"]
    reading += ["-err_detect", "crccheck"]
    writing = ["-map", "0:a:0", "-vn", "-sn", "-dn", "-t", str(seconds_max)]
    return [
        *(find_ffmpeg(), "-nostdin", "-hide_banner", "-v", "error", "-threads", "1"),
        *(*reading, "-f", DEMUXERS[form], "-i", f"file:{file}"),
        *(*writing, "-ac", "1", "-ar", str(RATE_HZ), "-f", "s16le", "pipe:1"),
    ]


def _limit() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S_MAX, CPU_S_MAX))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    # It writes to the pipe only.
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


async def _read_chunks(stream: asyncio.StreamReader) -> AsyncIterator[bytes]:
    while True:
        try:
            yield await stream.readexactly(CHUNK_BYTES)
        except asyncio.IncompleteReadError as end:
            if end.partial:
                yield end.partial
            return


async def _read_end(stream: asyncio.StreamReader) -> str:
    """Return the first of what a process complains about; the rest is read and forgotten."""
    told = b""
    while chunk := await stream.read(ERROR_BYTES_MAX):
        told = (told + chunk)[:ERROR_BYTES_MAX]
    return told.decode(errors="replace").strip()
