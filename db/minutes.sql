-- list_chat_minutes
-- Minutes of one stream, newest first; the last parameter narrows to some of them. Names and counts
-- of emotes are put together in Python: as JSON made here they took three quarters of the time.
SELECT
    stream_id, window_start, window_end, chat_count, unique_chatters,
    top_emotes, emote_counts,
    avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
FROM chat_summary_minute
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
  AND ($5::timestamptz[] IS NULL OR window_start = ANY($5))
ORDER BY window_start DESC
LIMIT $4;

-- list_reading_minutes
-- Minutes of one channel, newest first.
SELECT
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, p50, p95,
    last, z_score, is_anomaly, revision, final
FROM reading_summary_minute
WHERE stream_id = $1
  AND channel = $2
  AND window_start >= $3
  AND window_start < $4
  AND ($6::timestamptz[] IS NULL OR window_start = ANY($6))
ORDER BY window_start DESC
LIMIT $5;

-- find_last_heard
-- When a stream was last heard; of one that never was it is now.
SELECT coalesce(last_event_at, now()) FROM streams WHERE stream_id = $1;

-- list_channels
-- Channels of a stream with their newest value since a time ($2). From the last name backwards, the
-- newest minute of a channel is the next entry of the index: one look for each, not one a minute.
WITH RECURSIVE heard AS (
    (
        SELECT channel, unit, last, last_at
        FROM reading_summary_minute
        WHERE stream_id = $1
          AND window_start >= $2
        ORDER BY channel DESC, window_start DESC
        LIMIT 1
    )
    UNION ALL
    SELECT previous.*
    FROM heard
    CROSS JOIN LATERAL (
        SELECT channel, unit, last, last_at
        FROM reading_summary_minute
        WHERE stream_id = $1
          AND window_start >= $2
          AND channel < heard.channel
        ORDER BY channel DESC, window_start DESC
        LIMIT 1
    ) AS previous
)
SELECT channel, unit, last AS last_value, last_at
FROM heard
ORDER BY channel
LIMIT $3;
