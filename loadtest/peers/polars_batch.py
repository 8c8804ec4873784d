"""Polars, one thread: one lazy query over the whole file; no state, nothing running."""

import os
from pathlib import Path

# Before Polars starts its threads: one core is what is measured.
os.environ["POLARS_MAX_THREADS"] = "1"  # noqa: TID251

import polars as pl

from loadtest.peers.tasks import EMOTES, MinuteRow, run_task

KEY = ["stream_id", "minute"]


def count_minutes(file: Path) -> list[MinuteRow]:
    """Run the query over a file."""
    schema = dict.fromkeys(("stream_id", "timestamp", "user", "text"), pl.String)
    chats = pl.read_ndjson(file, schema=schema).select(
        "stream_id",
        "user",
        "text",
        minute=pl.col("timestamp")
        .str.to_datetime("%Y-%m-%dT%H:%M:%S%.fZ", time_unit="ms")
        .dt.truncate("1m"),
    )
    minutes = chats.group_by(KEY).agg(pl.len(), pl.col("user").n_unique())
    emotes = (
        chats.lazy()
        .select(*KEY, emote=pl.col("text").str.split(" "))
        .explode("emote")
        .filter(pl.col("emote").is_in(EMOTES))
        .group_by(*KEY, "emote")
        .len("times")
        .group_by(KEY)
        .agg(emotes=pl.struct("emote", "times"))
        .collect()
    )
    return [
        MinuteRow(
            stream_id,
            minute,
            count,
            users,
            {pair["emote"]: pair["times"] for pair in found or ()},
        )
        for stream_id, minute, count, users, found in minutes.join(
            emotes, on=KEY, how="left"
        ).iter_rows()
    ]


if __name__ == "__main__":
    run_task("polars_batch", pl.__version__, count_minutes)
