"""DuckDB, one thread: one query over the whole file; no state, no late events, nothing running.

The limit of what a core can do when everything is known at the end.
"""

from pathlib import Path
from typing import Final

import duckdb

from loadtest.peers.tasks import EMOTES, MinuteRow, run_task

MINUTES: Final = """
WITH chats AS MATERIALIZED (
    SELECT stream_id, date_trunc('minute', timestamp) AS minute, "user", text
    FROM read_json(
        $file, format = 'newline_delimited',
        columns = {stream_id: 'VARCHAR', timestamp: 'TIMESTAMP', "user": 'VARCHAR', text: 'VARCHAR'}
    )
), minutes AS (
    SELECT stream_id, minute, count(*) AS chat_count, count(DISTINCT "user") AS unique_chatters
    FROM chats
    GROUP BY ALL
), words AS (
    SELECT stream_id, minute, unnest(
        list_filter(string_split(text, ' '), lambda word: list_contains($emotes, word))
    ) AS emote
    FROM chats
), counts AS (
    SELECT stream_id, minute, emote, count(*) AS times
    FROM words
    GROUP BY ALL
), emotes AS (
    SELECT stream_id, minute, map(list(emote), list(times)) AS emotes
    FROM counts
    GROUP BY ALL
)
SELECT stream_id, minute, chat_count, unique_chatters, coalesce(emotes, MAP {})
FROM minutes
LEFT JOIN emotes USING (stream_id, minute)
"""


def count_minutes(file: Path) -> list[MinuteRow]:
    """Run the query over a file."""
    with duckdb.connect(config={"threads": 1, "preserve_insertion_order": False}) as connection:
        rows = connection.execute(MINUTES, {"file": str(file), "emotes": list(EMOTES)}).fetchall()
    return [MinuteRow(*row) for row in rows]


if __name__ == "__main__":
    run_task("duckdb_batch", duckdb.__version__, count_minutes)
