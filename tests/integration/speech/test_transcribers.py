"""Transcribers: the same contract offline and over HTTP, and a server with bad manners."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from core.audio import AudioFormat
from core.errors import SettingsInvalidError
from core.settings import REPOSITORY
from core.transcripts import Hints, Partial, Transcript
from infra.services.ports import choose_port
from streaming.audio.decoders import decode
from streaming.jobs.transcribers.base import (
    Transcriber,
    TranscriberAwayError,
    TranscriptionFailedError,
)
from streaming.jobs.transcribers.openai import OpenAITranscriber, RetryPolicy
from streaming.jobs.transcribers.pocketsphinx import PocketsphinxTranscriber
from tests.fixtures.recordings import hum, record
from tests.fixtures.sentences import GRAMMAR, SENTENCES
from tests.fixtures.settings import make_settings
from tests.fixtures.transcription_servers import KEY, Manners, TranscriptionServer, transcribing
from tests.fixtures.waiting import eventually

SAID = SENTENCES[5]
RECOGNISER = "streaming.jobs.transcribers.recognisers"
NO_HINTS = Hints()
AT_ONCE = RetryPolicy(tries=3, first_pause_s=0.01, pause_s_max=0.05)


@pytest.fixture
async def server() -> AsyncIterator[TranscriptionServer]:
    async with transcribing(TranscriptionServer(grammar=GRAMMAR)) as server:
        yield server


@pytest.fixture
async def samples(tmp_path: Path) -> Path:
    """A sentence as samples."""
    target = tmp_path / "audio.pcm"
    await decode(record(SAID, tmp_path, AudioFormat.FLAC), target, seconds_max=60)
    return target


@pytest.fixture
def noise(tmp_path: Path) -> Path:
    """Samples in which nobody says anything."""
    target = tmp_path / "noise.pcm"
    target.write_bytes(hum(1.0).astype("<i2").tobytes())
    return target


@pytest.fixture
async def client(server: TranscriptionServer) -> AsyncIterator[OpenAITranscriber]:
    transcriber = make_client(server.url)
    yield transcriber
    await transcriber.close()


def list_recognisers() -> list[str]:
    """Return the recognisers that we have begun and that are not gone."""
    ours = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = [pid for file in ours for pid in file.read_text().split()]
    return [pid for pid in pids if RECOGNISER in Path(f"/proc/{pid}/cmdline").read_text()]


def make_client(url: str, **chosen: object) -> OpenAITranscriber:
    settings = make_settings(stt_url=url, **{"stt_api_key": KEY, **chosen})
    return OpenAITranscriber(settings, AT_ONCE)


async def run(transcriber: Transcriber, samples: Path, hints: Hints = NO_HINTS) -> Transcript:
    told = [each async for each in transcriber.transcribe(samples, hints)]
    *partials, transcript = told
    assert partials
    assert all(isinstance(each, Partial) for each in partials)
    progress = [each.progress for each in partials if isinstance(each, Partial)]
    assert progress == sorted(progress)
    assert isinstance(transcript, Transcript)
    return transcript


@pytest.mark.parametrize("name", ["pocketsphinx", "openai"])
async def test_a_sentence_is_understood_with_its_words_and_their_times(
    name: str, client: OpenAITranscriber, samples: Path
):
    transcriber = client if name == "openai" else PocketsphinxTranscriber()
    found = await run(transcriber, samples, Hints(language="en", grammar=GRAMMAR))
    assert found.text == SAID
    assert [word.word for word in found.words] == SAID.split()
    ends = [time for word in found.words for time in (word.start, word.end)]
    assert ends == sorted(ends)
    assert 0 <= ends[0] < ends[-1] < 5


async def test_free_speech_needs_no_grammar(samples: Path):
    found = await run(PocketsphinxTranscriber(), samples)
    assert found.text
    assert found.text.split() == [word.word for word in found.words]


async def test_what_is_said_after_a_pause_comes_as_another_partial(tmp_path: Path):
    parts = []
    for said in SENTENCES[:2]:
        await decode(record(said, tmp_path), tmp_path / "part.pcm", seconds_max=60)
        parts.append((tmp_path / "part.pcm").read_bytes())
    both = tmp_path / "both.pcm"
    both.write_bytes((bytes(32_000)).join(parts))
    hints = Hints(grammar=GRAMMAR)
    told = [each async for each in PocketsphinxTranscriber().transcribe(both, hints)]
    first, second, _ = told
    assert first.text == SENTENCES[0]
    assert isinstance(first, Partial)
    assert 0 < first.progress < 0.7
    assert second.text == f"{SENTENCES[0]} {SENTENCES[1]}"


async def test_a_word_that_the_dictionary_lacks_is_named(samples: Path):
    grammar = "#JSGF V1.0; grammar g; public <a> = open the flurbl;"
    with pytest.raises(TranscriptionFailedError, match="flurbl"):
        await run(PocketsphinxTranscriber(), samples, Hints(grammar=grammar))


async def test_the_offline_transcriber_says_which_language_it_knows(samples: Path):
    with pytest.raises(TranscriptionFailedError, match="English only"):
        await run(PocketsphinxTranscriber(), samples, Hints(language="fr"))


async def test_who_stops_listening_ends_the_recogniser(samples: Path):
    told = PocketsphinxTranscriber().transcribe(samples, Hints())
    waiting = asyncio.ensure_future(anext(told))
    await eventually(list_recognisers)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert list_recognisers() == []


async def test_a_recogniser_ends_with_whoever_began_it(samples: Path):
    asked = orjson.dumps({"samples": str(samples), "grammar": None}) + b"\n"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", RECOGNISER),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        cwd=REPOSITORY,
    )
    assert process.stdin is not None
    process.stdin.write(asked)
    # What the end of its parent does to its standard input.
    process.stdin.close()
    assert await process.wait() == 1


async def test_the_server_gets_what_its_api_asks_for(
    server: TranscriptionServer, client: OpenAITranscriber, noise: Path
):
    server.text = "heard"
    await run(client, noise, Hints(language="en", grammar=GRAMMAR))
    (asked,) = server.asked
    assert asked["model"] == "whisper-1"
    assert asked["language"] == "en"
    assert asked["response_format"] == "verbose_json"
    assert asked["prompt"].startswith("the, open, close, start")
    assert not list(noise.parent.glob("*.wav")), "the file that was sent is left"


async def test_a_model_without_times_is_asked_for_json(server: TranscriptionServer, noise: Path):
    server.text = " heard \n"
    transcriber = make_client(server.url, stt_response_format="json")
    assert await run(transcriber, noise) == Transcript("heard")
    await transcriber.close()


@pytest.mark.parametrize(
    "manners",
    [
        [Manners(500), Manners(503)],
        [Manners(429, {"Retry-After": "0"})],
        [Manners(429, {"Retry-After": "Wed, 21 Oct 2026 07:28:00 GMT"})],
        [Manners(body="cut")],
    ],
    ids=["500", "429", "429 with a date", "cut"],
)
async def test_what_may_pass_is_tried_again(
    manners: list[Manners], server: TranscriptionServer, client: OpenAITranscriber, noise: Path
):
    server.text, server.manners = "heard", [*manners]
    assert (await run(client, noise)).text == "heard"
    assert len(server.asked) == len(manners) + 1


async def test_a_server_that_stays_away_is_left_to_the_queue(
    server: TranscriptionServer, client: OpenAITranscriber, noise: Path
):
    server.manners = [Manners(503)] * 3
    with pytest.raises(TranscriberAwayError, match="503"):
        await run(client, noise)
    assert len(server.asked) == 3


async def test_patience_that_is_too_long_is_handed_to_the_queue(
    server: TranscriptionServer, client: OpenAITranscriber, noise: Path
):
    server.manners = [Manners(429, {"Retry-After": "60"})]
    with pytest.raises(TranscriberAwayError) as raised:
        await run(client, noise)
    assert raised.value.retry_after_s == 60
    assert len(server.asked) == 1


async def test_nobody_there_is_told_from_a_refusal(noise: Path):
    transcriber = make_client(f"http://127.0.0.1:{choose_port()}/v1")
    with pytest.raises(TranscriberAwayError, match="cannot be reached"):
        await run(transcriber, noise)
    await transcriber.close()


async def test_a_slow_server_has_only_so_much_time(server: TranscriptionServer, noise: Path):
    never = asyncio.Event()
    server.manners = [Manners(waits=never)] * 3
    transcriber = make_client(server.url, stt_timeout_seconds=1)
    with pytest.raises(TranscriberAwayError, match="longer than 1 s"):
        await run(transcriber, noise)
    never.set()
    await transcriber.close()


@pytest.mark.parametrize(
    ("manners", "reason"),
    [
        (Manners(400), "The server had an error"),
        (Manners(body="junk"), "cannot be read"),
        (Manners(body="huge"), "too long"),
        (Manners(302, {"Location": "http://127.0.0.1:1/"}), "302"),
    ],
)
async def test_a_refusal_is_final_and_says_why(
    manners: Manners,
    reason: str,
    server: TranscriptionServer,
    client: OpenAITranscriber,
    noise: Path,
):
    server.text, server.manners = "heard", [manners]
    with pytest.raises(TranscriptionFailedError, match=reason):
        await run(client, noise)
    assert len(server.asked) == 1


async def test_a_refused_key_is_not_quoted(server: TranscriptionServer, noise: Path):
    transcriber = make_client(server.url, stt_api_key="sk-of-another")
    with pytest.raises(TranscriptionFailedError, match="Set STT_API_KEY") as raised:
        await run(transcriber, noise)
    assert "sk-" not in raised.value.detail
    await transcriber.close()


def test_audio_and_key_do_not_travel_in_the_open():
    with pytest.raises(SettingsInvalidError, match="STT_URL"):
        make_client("http://speech.example/v1")
    make_client("http://speech.example/v1", stt_trusted=True)
