-- list_chat_minutes
-- What a chart is thinned by, of each minute of one stream, newest first: the time in microseconds
-- and the columns whose peaks must stay. A tenth of a whole row in every respect.
SELECT
    (extract(epoch FROM window_start) * 1000000)::bigint AS at, chat_count, avg_sentiment,
    avg_viewers, peak_viewers
FROM chat_summary_minute
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
ORDER BY window_start DESC
LIMIT $4;

-- list_chat_buckets
-- As above, of stretches of some minutes ($4), by the rules of ``list_chat_buckets`` in windows.
WITH minutes AS (
    SELECT
        time_bucket($4::interval, window_start) AS bucket, chat_count, avg_sentiment, avg_viewers,
        peak_viewers
    FROM chat_summary_minute
    WHERE stream_id = $1
      AND window_start >= $2
      AND window_start < $3
    ORDER BY window_start DESC
    LIMIT $5
)
SELECT
    (extract(epoch FROM bucket) * 1000000)::bigint AS at, sum(chat_count)::bigint AS chat_count,
    sum(avg_sentiment * chat_count) / nullif(sum(chat_count), 0) AS avg_sentiment,
    avg(avg_viewers) AS avg_viewers, max(peak_viewers) AS peak_viewers
FROM minutes
GROUP BY bucket
ORDER BY bucket DESC
LIMIT $6;

-- list_chat_hours
SELECT
    (extract(epoch FROM window_start) * 1000000)::bigint AS at, chat_count, avg_sentiment,
    avg_viewers, peak_viewers
FROM chat_summary_hour
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
ORDER BY window_start DESC
LIMIT $4;

-- list_chat_days
SELECT
    (extract(epoch FROM window_start) * 1000000)::bigint AS at, chat_count, avg_sentiment,
    avg_viewers, peak_viewers
FROM chat_summary_day
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
ORDER BY window_start DESC
LIMIT $4;

-- list_reading_minutes
-- As above, of a channel.
SELECT (extract(epoch FROM window_start) * 1000000)::bigint AS at, min, max
FROM reading_summary_minute
WHERE stream_id = $1
  AND channel = $2
  AND window_start >= $3
  AND window_start < $4
ORDER BY window_start DESC
LIMIT $5;

-- list_reading_buckets
WITH minutes AS (
    SELECT time_bucket($5::interval, window_start) AS bucket, min, max
    FROM reading_summary_minute
    WHERE stream_id = $1
      AND channel = $2
      AND window_start >= $3
      AND window_start < $4
    ORDER BY window_start DESC
    LIMIT $6
)
SELECT
    (extract(epoch FROM bucket) * 1000000)::bigint AS at, min(min) AS min, max(max) AS max
FROM minutes
GROUP BY bucket
ORDER BY bucket DESC
LIMIT $7;

-- list_reading_hours
SELECT (extract(epoch FROM window_start) * 1000000)::bigint AS at, min, max
FROM reading_summary_hour
WHERE stream_id = $1
  AND channel = $2
  AND window_start >= $3
  AND window_start < $4
ORDER BY window_start DESC
LIMIT $5;

-- list_reading_days
SELECT (extract(epoch FROM window_start) * 1000000)::bigint AS at, min, max
FROM reading_summary_day
WHERE stream_id = $1
  AND channel = $2
  AND window_start >= $3
  AND window_start < $4
ORDER BY window_start DESC
LIMIT $5;
