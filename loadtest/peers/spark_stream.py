"""Spark structured streaming, one core: a file source, a watermark, a window of a minute.

    json lines -> withWatermark -> window of a minute -> foreachBatch

It takes what there is and ends (``availableNow``). Spark cannot count distinct values in a stream
exactly, so users are kept as a set. The Java machine is started before the clock runs.
"""

import shutil
import sys
import tempfile
from datetime import UTC
from pathlib import Path
from typing import Final

import pyspark
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as f

from loadtest.peers.tasks import EMOTES, MinuteRow, run_task

SCHEMA: Final = "stream_id STRING, timestamp TIMESTAMP, user STRING, text STRING"


def open_session(folder: str) -> SparkSession:
    """Start Spark with one core and nothing that one core does not need."""
    return (
        SparkSession.builder.master("local[1]")
        .config("spark.ui.enabled", "false")
        .config("spark.sql.shuffle.partitions", "1")
        .config("spark.sql.session.timeZone", "UTC")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.memory", "4g")
        .config("spark.local.dir", folder)
        .config("spark.sql.warehouse.dir", f"{folder}/warehouse")
        .getOrCreate()
    )


def count_emote(emote: str) -> Column:
    """Return how often an emote occurs in a group."""
    return f.sum(f.size(f.filter("emotes", lambda word: word == emote))).alias(emote)


def count_minutes(session: SparkSession, source: Path, folder: str) -> list[MinuteRow]:
    """Run the query over the files of a folder, to its end."""
    rows: list[MinuteRow] = []

    def take(batch: DataFrame, _: int) -> None:
        rows.extend(
            MinuteRow(
                row["stream_id"],
                row["minute"].replace(tzinfo=UTC),
                row["chat_count"],
                row["unique_chatters"],
                {emote: row[emote] for emote in EMOTES},
            )
            for row in batch.collect()
        )

    lines = session.readStream.schema(SCHEMA).json(str(source))
    found = f.filter(f.split("text", " "), lambda word: word.isin(*EMOTES))
    chats = lines.select("stream_id", "timestamp", "user", found.alias("emotes"))
    minutes = (
        chats.withWatermark("timestamp", "2 seconds")
        .groupBy("stream_id", f.window("timestamp", "1 minute").alias("window"))
        .agg(
            f.count("*").alias("chat_count"),
            f.size(f.collect_set("user")).alias("unique_chatters"),
            *(count_emote(emote) for emote in EMOTES),
        )
        .withColumn("minute", f.col("window.start"))
    )
    query = (
        minutes.writeStream.outputMode("complete")
        .option("checkpointLocation", f"{folder}/checkpoint")
        .trigger(availableNow=True)
        .foreachBatch(take)
        .start()
    )
    query.awaitTermination()
    return rows


def main() -> None:
    """Start Spark, then do the work."""
    if shutil.which("java") is None:
        sys.exit("Java is not installed; Spark needs version 17 or newer")
    with tempfile.TemporaryDirectory() as folder:
        session = open_session(folder)
        session.sparkContext.setLogLevel("ERROR")

        def work(file: Path) -> list[MinuteRow]:
            # The source watches a folder; a link in one of its own leaves other files out.
            source = Path(folder) / "lines"
            source.mkdir()
            (source / file.name).symlink_to(file.resolve())
            return count_minutes(session, source, folder)

        run_task("spark_stream", pyspark.__version__, work)
        session.stop()


if __name__ == "__main__":
    main()
