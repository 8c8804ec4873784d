"""Words: what people write in chats.

Every phrase of a tone goes with every emote of that tone, joined once into tables, so that drawing
a message is drawing a number. The first emotes of a tone are its favourites.
"""

from dataclasses import dataclass
from itertools import product
from typing import Final

import numpy as np

from streaming.simulator.rows import IntArray

PHRASES: Final = (
    (
        "this is amazing|let's go|best stream today|so clean|I love this|what a play|haha nice|hype"
        "|that was perfect|you are cracked|beautiful|gg well played|unreal|happy to be here|clip it"
        "|thank you for this|that was smooth|what a legend|insane timing|first time here, love it"
        "|nice one|great music|we did it|no way, incredible|glad I stayed up|welcome everyone"
    ),
    (
        "hello from Porto|what did I miss|anyone know the song|brb|how long is it|is this live"
        "|same as yesterday|again|what are the settings|lol|hi chat|where is this|one more|wait"
        "|try the left one|what time is it there|ten minutes to go|how do you do that|and now"
        "|I was here yesterday|chat, be patient|so what is the plan|do it|what is the bet"
    ),
    (
        "that was bad|the sound is broken|lag again|so boring|nooo|this is painful|unlucky|stop it"
        "|what a throw|worst run so far|I am so sad|it is dead|my eyes|this hurts|fail|awful"
        "|terrible luck|stuck again|why would you do that|we lost it|rip|the stream froze|too slow"
    ),
)
"""By tone: happy, calm, unhappy."""

EMOTES: Final = (
    "PogChamp KEKW Pog HeyGuys GG ❤ 🔥 5Head 🎉 😂 👏",
    "Kappa LUL 👀 KEKW CoolStoryBob o7 🤔",
    "monkaS BibleThump NotLikeThis 😭 LUL ResidentSleeper 😡",
)
"""By tone."""


@dataclass(frozen=True, slots=True)
class Messages:
    """All messages, one tone after the other."""

    texts: tuple[str, ...]
    emotes: tuple[tuple[str, ...], ...]
    """The emotes of each text."""

    first: IntArray
    """Where each tone begins."""

    count: IntArray
    """How many messages each tone has."""

    def draw(self, tones: IntArray, rng: np.random.Generator) -> IntArray:
        """Return the place of a message of each of the tones."""
        places = self.first[tones] + rng.random(len(tones)) * self.count[tones]
        return places.astype(np.int64)


def _make_messages() -> Messages:
    tones = [
        [
            (phrase, emotes)
            for phrase, emotes in product(["", *phrases.split("|")], _combine(liked.split()))
        ]
        for phrases, liked in zip(PHRASES, EMOTES, strict=True)
    ]
    tones = [[row for row in tone if any(row)] for tone in tones]
    rows = [row for tone in tones for row in tone]
    count = np.array([len(tone) for tone in tones], dtype=np.int64)
    texts = tuple(" ".join(filter(None, (phrase, *some))) for phrase, some in rows)
    emotes = tuple(some for _, some in rows)
    return Messages(texts, emotes, np.cumsum(count) - count, count)


def _combine(emotes: list[str]) -> list[tuple[str, ...]]:
    """Return what may follow a phrase: the better an emote is liked, the more often it is there."""
    liked = [emote for rank, emote in enumerate(emotes) for _ in range(len(emotes) // (rank + 1))]
    alone = [(emote,) for emote in liked]
    thrice = [(emote,) * 3 for emote in liked[::3]]
    pairs = list(zip(liked, emotes[1:], strict=False))
    nothing: list[tuple[str, ...]] = [()] * len(alone)
    return [*alone, *thrice, *pairs, *nothing]


MESSAGES: Final = _make_messages()
