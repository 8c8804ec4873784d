"""Recognisers: pocketsphinx in a process of its own, so that it can be ended at any time.

    one line of JSON in: samples, grammar  ->  lines of JSON out: utterance, utterance, …, end

    python -m streaming.jobs.transcribers.recognisers

Decoding holds a core for about as long as the audio lasts, and nothing but the end of its process
stops it half-way. The process ends with its standard input: whoever started it may be killed.
"""

import contextlib
import os
import re
import resource
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
import pocketsphinx

from core.audio import RATE_HZ, Utterance, find_utterances, measure_levels
from core.grammars import list_words

MEMORY_BYTES_MAX: Final = 2 * 1024**3
"""Of addresses; the language model takes a tenth of it."""

FRAMES_A_SECOND: Final = 100

NOISE: Final = 5.0
"""Of 32 768: digital silence, which no microphone makes, confuses the recogniser, and so little
noise is heard by nobody."""

SEARCH: Final = "given"
_VARIANT: Final = re.compile(r"\(\d+\)$")


class GrammarRefusedError(Exception):
    """A grammar cannot be followed; the text says why, as an end of "grammar: "."""


def recognise(samples: Path, grammar: str | None) -> Iterator[dict[str, Any]]:
    """Tell what is said in each utterance, with the words and their times in seconds."""
    audio = np.fromfile(samples, np.int16)
    utterances = find_utterances(measure_levels(audio))
    decoder = _open(grammar)
    for utterance in utterances:
        told = _decode(decoder, audio, utterance)
        yield {**told, "progress": min(utterance.end / max(len(audio), 1), 1.0)}


def _open(grammar: str | None) -> pocketsphinx.Decoder:
    if grammar is None:
        return pocketsphinx.Decoder(loglevel="FATAL")
    # Without a model of its own the language is what the grammar says.
    decoder = pocketsphinx.Decoder(lm=None, loglevel="FATAL")
    unknown = [word for word in list_words(grammar) if decoder.lookup_word(word) is None]
    if unknown:
        raise GrammarRefusedError(f"the dictionary has no {', '.join(unknown[:10])}")
    try:
        decoder.add_jsgf_string(SEARCH, _lower(grammar))
        decoder.activate_search(SEARCH)
    except (RuntimeError, ValueError) as error:
        raise GrammarRefusedError("the recogniser cannot read it") from error
    return decoder


def _lower(grammar: str) -> str:
    """Return a grammar as the dictionary spells words; its first line stays as it is."""
    first, separator, rest = grammar.lstrip().partition(";")
    return first + separator + rest.lower()


def _decode(
    decoder: pocketsphinx.Decoder, audio: np.ndarray, utterance: Utterance
) -> dict[str, Any]:
    # The same noise each time: the same audio gives the same transcript.
    part = audio[utterance.start : utterance.end].astype(np.float32)
    part += np.random.default_rng(0).normal(0, NOISE, len(part)).astype(np.float32)
    decoder.start_utt()
    # All at once: how loud and how coloured it is is taken from the whole utterance.
    decoder.process_raw(part.clip(-32768, 32767).astype("<i2").tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    if found is None:
        return {"text": "", "words": []}
    offset = utterance.start / RATE_HZ
    words = [
        {
            "word": _VARIANT.sub("", segment.word),
            "start": offset + segment.start_frame / FRAMES_A_SECOND,
            "end": offset + (segment.end_frame + 1) / FRAMES_A_SECOND,
        }
        for segment in decoder.seg()
        if segment.word[0] not in "<[+("
    ]
    return {"text": found.hypstr, "words": words}


def _end_with_input() -> None:
    with contextlib.suppress(OSError):
        while sys.stdin.buffer.read(4096):
            pass
    os._exit(1)


def _tell(told: dict[str, Any]) -> None:
    sys.stdout.buffer.write(orjson.dumps(told) + b"\n")
    sys.stdout.buffer.flush()


def main() -> None:
    """Recognise what the first line names."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    asked = orjson.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        for told in recognise(Path(asked["samples"]), asked["grammar"]):
            _tell({"type": "utterance", **told})
    except GrammarRefusedError as error:
        _tell({"type": "refused", "reason": str(error)})
    else:
        _tell({"type": "end"})


if __name__ == "__main__":
    main()
