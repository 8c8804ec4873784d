"""Readings: what the channels of a stream measure, and how the planned faults show.

    spike   ▁▁▇▇▇▁▁   the value jumps and comes back
    drift   ▁▁▂▄▆▁▁   it walks away and is put right
    stuck   ▁▂▂▂▂▁▂   it repeats itself
    noise   ▁▂▇▁▆▁▁   it scatters
    dropout ▁▁   ▁▁   nothing comes

A fault has the size and direction of its channel: a failing fan heats, a failing encoder slows.
"""

from typing import Final

import numpy as np

from streaming.simulator.blocks import Block
from streaming.simulator.curves import drift
from streaming.simulator.incidents import Incident
from streaming.simulator.profiles import CHANNELS, Channel
from streaming.simulator.rows import RECORD, FloatArray, IntArray, Records, Type, make_records
from streaming.simulator.seeds import make_seed

SCATTER: Final = 0.6
"""Standard deviation of a noisy channel, in sizes of its fault."""

DIGITS: Final = 3


def generate_readings(block: Block) -> Records:
    """Return the readings of all channels in a block."""
    parts = [_generate_channel(block, channel) for channel in block.profile.channels]
    return np.concatenate([np.empty(0, RECORD), *parts])


def _generate_channel(block: Block, channel: Channel) -> Records:
    offset_ms = make_seed("reading", block.profile.stream_id, channel.name) % 1000
    seconds = block.seconds[block.seconds % channel.interval_s == 0]
    noise = block.make_rng(f"reading {channel.name}").standard_normal(len(seconds))
    values = _measure_level(block, channel, seconds) + channel.noise * noise
    is_given = np.full(len(seconds), fill_value=True)
    for fault in block.incidents:
        if fault.channel == channel.name:
            is_hit = (seconds >= fault.start_ms // 1000) & (seconds < fault.end_ms // 1000)
            values[is_hit] += _shift(block, channel, fault, seconds, noise)[is_hit]
            is_given &= ~is_hit | (fault.kind != "dropout")
    return make_records(
        Type.READING,
        seconds[is_given] * 1000 + offset_ms,
        channel=1 + CHANNELS.index((channel.name, channel.unit)),
        value=np.round(np.maximum(values[is_given], 0), DIGITS),
    )


def _measure_level(block: Block, channel: Channel, seconds: IntArray) -> FloatArray:
    """Return the level of a channel without noise and faults."""
    name = (block.seed, block.profile.stream_id, channel.name)
    return channel.level + channel.swing * drift(seconds, *name)


def _shift(
    block: Block, channel: Channel, fault: Incident, seconds: IntArray, noise: FloatArray
) -> FloatArray:
    """Return by how much a fault moves the value that would have been measured."""
    match fault.kind:
        case "spike":
            return np.full(len(seconds), channel.fault_size)
        case "drift":
            done = (seconds * 1000 - fault.start_ms) / (fault.end_ms - fault.start_ms)
            return np.asarray(channel.fault_size * done)
        case "stuck":
            then = _measure_level(block, channel, np.array([fault.start_ms // 1000]))
            return then - _measure_level(block, channel, seconds) - channel.noise * noise
        case "noise":
            return SCATTER * abs(channel.fault_size) * noise
        case _:
            return np.zeros(len(seconds))
