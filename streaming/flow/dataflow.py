"""Dataflow: the steps of the flow and how they hang together.

bus ─► input ─► key_by_shard ─► merge_minutes ─► commit
"""

from datetime import timedelta

import bytewax.operators as op
from bytewax.dataflow import Dataflow

from core.clock import Clock
from core.settings import Settings
from core.watermarks import LatenessPolicy
from streaming.flow.committers import Committer
from streaming.flow.lookaheads import Lookahead
from streaming.flow.shards import FlowPolicy
from streaming.flow.sinks import TimescaleSink
from streaming.flow.sources import BusSource
from streaming.flow.steps import Asked, ShardLogic, key_by_shard
from streaming.flow.traces import FlowTraces


def build_dataflow(
    settings: Settings,
    lookahead: Lookahead,
    committer: Committer,
    clock: Clock,
    traces: FlowTraces,
    asked: Asked,
) -> Dataflow:
    """Return the dataflow over a bus and a database."""
    policy = build_policy(settings)

    def build_logic(snapshot: bytes | None) -> ShardLogic:
        return ShardLogic(snapshot, clock, policy, traces, asked)

    source = BusSource(
        lookahead,
        clock,
        shards=settings.bus_shards,
        interval=timedelta(milliseconds=settings.live_interval_ms),
        retention=timedelta(minutes=settings.bus_retention_minutes),
    )
    sink = TimescaleSink(committer, shards=settings.bus_shards)
    flow = Dataflow("telemetra")
    batches = op.input("bus", flow, source)
    keyed = op.map("key_by_shard", batches, key_by_shard)
    changes = op.stateful_batch("merge_minutes", keyed, build_logic)
    op.output("commit", changes, sink)
    return flow


def build_policy(settings: Settings) -> FlowPolicy:
    """Return the rules of the flow from the settings."""
    return FlowPolicy(
        lateness=LatenessPolicy(
            allowed=timedelta(minutes=settings.lateness_minutes),
            silence=timedelta(seconds=settings.silence_seconds),
        ),
        chats_told=settings.live_chat_messages,
    )
