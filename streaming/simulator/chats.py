"""Chats: who writes what, and when.

    day * drift * raids -> rate -> bursts -> times -> users and tones -> messages

``transactions`` follow the same rate.
"""

from typing import Final

import numpy as np

from streaming.simulator.blocks import BLOCK_S, Block, FloatArray, IntArray, Rows, make_rows
from streaming.simulator.curves import drift, feel_raid, follow_day
from streaming.simulator.users import draw_ranks, list_badges, name_users
from streaming.simulator.words import MESSAGES

BURSTS_SHAPE: Final = 6.0
"""Shape of the gamma noise on the rate of each second: people answer one another."""

RAID_FADE_S: Final = 15.0
RAIDERS_SHARE: Final = 0.6
"""Of the messages that a raid adds, those by strangers; the rest is regulars who greet them."""

HAPPY_SHARE: Final = 0.38
UNHAPPY_SHARE: Final = 0.22


def generate_chats(block: Block) -> Rows:
    """Return the messages of a block."""
    rng = block.make_rng("chat")
    bursts = rng.gamma(BURSTS_SHAPE, 1 / BURSTS_SHAPE, BLOCK_S)
    counts = rng.poisson(measure_chat_rates(block) * bursts)
    second = np.repeat(np.arange(BLOCK_S), counts)
    times_ms = block.start_ms + np.sort(second * 1000 + rng.integers(1000, size=len(second)))
    users, badges = _draw_users(block, second, rng)
    messages = MESSAGES.draw(_draw_tones(block, second, rng), rng)
    return make_rows(
        block,
        "chat",
        times_ms,
        user=users,
        text=MESSAGES.texts[messages].tolist(),
        emotes=MESSAGES.emotes[messages].tolist(),
        badges=badges,
    )


def measure_chat_rates(block: Block) -> FloatArray:
    """Return the messages per second to be expected in each second of a block."""
    seconds, profile = block.seconds, block.profile
    wander = 1 + 0.3 * drift(seconds, block.seed, profile.stream_id, "chat")
    return block.chat_rate * follow_day(seconds, profile.peak_hour) * wander * _boost(block)


def _boost(block: Block) -> FloatArray:
    """Return by how much raids multiply the rate in each second."""
    boost = np.ones(BLOCK_S)
    for raid in block.raids:
        boost += (raid.chat_factor - 1) * feel_raid(block.seconds, raid, RAID_FADE_S)
    return boost


def _draw_users(
    block: Block, second: IntArray, rng: np.random.Generator
) -> tuple[list[object], list[list[str]]]:
    """Return the author of each message and the author's badges."""
    profile = block.profile
    ranks = draw_ranks(profile, len(second), rng)
    users, badges = name_users(profile.stream_id, ranks), list_badges(profile, ranks)
    if block.raids:
        strange = rng.random(len(second)) < RAIDERS_SHARE * (1 - 1 / _boost(block))[second]
        raiders = name_users(
            block.raids[-1].start_ms, rng.integers(profile.viewers, size=len(second))
        )
        for place in np.flatnonzero(strange).tolist():
            users[place], badges[place] = raiders[place], []
    return users, badges


def _draw_tones(block: Block, second: IntArray, rng: np.random.Generator) -> IntArray:
    """Return the tone of each message; the mood of a stream wanders, and a raid cheers it up."""
    mood = drift(block.seconds, block.seed, block.profile.stream_id, "mood")
    cheer = 1 - 1 / _boost(block)
    happy = np.clip(HAPPY_SHARE + 0.3 * mood + 0.3 * cheer, 0.05, 0.9)
    unhappy = np.clip(UNHAPPY_SHARE - 0.25 * mood - 0.2 * cheer, 0.03, 1 - happy)
    chance = rng.random(len(second))
    tones = (chance > happy[second]).astype(np.int64) + (chance > 1 - unhappy[second])
    return np.asarray(tones)
