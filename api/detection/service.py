"""Detection service: what is known of each series beside what is needed, and its tuning."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import orjson

from api.channels.endpoints import CHANNELS_MAX
from api.deps import Resources
from core.baselines import BaselinePolicy
from core.novelties import MATURE_ROWS
from core.tunings import Tuning, Tunings
from db.detection import DetectionStore, Knowledge
from db.streams import StreamStore
from db.tunings import TuningStore

BASELINE: Final = BaselinePolicy()
SECOND: Final = timedelta(seconds=1)


async def load_detection(uses: Resources, stream_id: str) -> bytes:
    """Return how far detection has come with a stream, as JSON."""
    async with uses.pool.connection() as connection:
        stream = await StreamStore(connection).get(stream_id)
        heard_at = stream["last_event_at"] or uses.clock.now()
        as_of = heard_at.replace(second=0, microsecond=0)
        known = await DetectionStore(connection).measure(
            stream_id, span=BASELINE.span, until=as_of, limit=CHANNELS_MAX
        )
        tunings = await TuningStore(connection).load()
    # A thousand rules for as many channels take a while.
    return await asyncio.to_thread(_write, stream_id, as_of, known, tunings)


def _write(stream_id: str, as_of: datetime, known: Sequence[Knowledge], tunings: Tunings) -> bytes:
    series = [_describe(each, tunings.find(stream_id, each.metric)) for each in known]
    document = {"stream_id": stream_id, "as_of": as_of, "data": series, "next_cursor": None}
    return orjson.dumps(document, option=orjson.OPT_UTC_Z)


def _describe(known: Knowledge, tuning: Tuning) -> dict[str, Any]:
    return {
        "metric": known.metric,
        "is_channel": known.is_channel,
        "is_watched": tuning.is_watched,
        "learning": known.minutes < BASELINE.least,
        "minutes_known": known.minutes,
        "minutes_needed": BASELINE.least,
        "rows_mature": MATURE_ROWS,
        "z_score": known.z_score,
        "judged_at": known.judged_at,
        "tuning": {
            "strictness": tuning.strictness,
            "deviation_min": tuning.deviation_min,
            "direction": tuning.direction,
            "merge_s": tuning.merge // SECOND,
            "cool_down_s": tuning.cool_down // SECOND,
            "silence_after_s": tuning.silence_after // SECOND,
        },
    }
