"""Chats: who writes what, and when.

    pace * incidents -> rate -> bursts -> times -> users and tones -> messages

``transactions`` follow the same rate.
"""

from typing import Final

import numpy as np

from streaming.simulator.blocks import BLOCK_S, Block
from streaming.simulator.curves import drift
from streaming.simulator.rows import FloatArray, IntArray, Records, Type, make_records
from streaming.simulator.users import draw_ranks, find_names, rank_badges
from streaming.simulator.words import MESSAGES

BURSTS_SHAPE: Final = 6.0
"""Shape of the gamma noise on the rate of each second: people answer one another."""

RAIDERS_SHARE: Final = 0.6
"""Of the messages that an incident adds, those by strangers; regulars write the rest."""

HAPPY_SHARE: Final = 0.38
UNHAPPY_SHARE: Final = 0.22

CHEERED_UP: Final = 0.3
CHEERED_OFF: Final = 0.2
"""How far the shares move if all messages come with an incident."""

CHEER_SWING: Final = CHEERED_UP + CHEERED_OFF


def generate_chats(block: Block) -> Records:
    """Return the messages of a block."""
    rng = block.make_rng("chat")
    bursts = rng.gamma(BURSTS_SHAPE, 1 / BURSTS_SHAPE, BLOCK_S)
    counts = rng.poisson(block.pace * block.chat_boost * bursts)
    times_ms, second = block.spread(counts, rng)
    user, badges = _draw_users(block, second, rng)
    text = 1 + MESSAGES.draw(_draw_tones(block, second, rng), rng)
    return make_records(Type.CHAT, times_ms, user=user, badges=badges, text=text)


def measure_cheer(block: Block) -> FloatArray:
    """Return which part of the messages of each second incidents have added."""
    return np.asarray(1 - 1 / np.maximum(block.chat_boost, 1))


def _draw_users(
    block: Block, second: IntArray, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Return the author of each message and the author's badges."""
    profile = block.profile
    ranks = draw_ranks(profile, len(second), rng)
    users, badges = find_names(profile.stream_id, ranks), rank_badges(profile, ranks)
    if arrivals := [each for each in block.stream_incidents if each.chat_factor > 1]:
        strange = rng.random(len(second)) < RAIDERS_SHARE * measure_cheer(block)[second]
        places = rng.integers(profile.viewers, size=int(strange.sum()))
        users[strange] = find_names(arrivals[-1].start_ms, places)
        badges[strange] = 0
    return users, badges


def _draw_tones(block: Block, second: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the tone of each message; the mood of a stream wanders, and a raid cheers it up."""
    mood = drift(block.seconds, block.seed, block.profile.stream_id, "mood")
    cheer = measure_cheer(block)
    happy = np.clip(HAPPY_SHARE + 0.3 * mood + CHEERED_UP * cheer, 0.05, 0.9)
    unhappy = np.clip(UNHAPPY_SHARE - 0.25 * mood - CHEERED_OFF * cheer, 0.03, 1 - happy)
    chance = rng.random(len(second))
    tones = (chance > happy[second]).astype(np.int64) + (chance > 1 - unhappy[second])
    return np.asarray(tones)
