-- list_chat_buckets
-- Stretches of some minutes ($4) of one stream, newest first, put together by the rules of the
-- roll-ups. So many of the newest minutes ($5) are looked at that the buckets asked for ($6) are
-- whole; ($2) and ($3) are starts of buckets. Of all these lists the last parameter narrows to some
-- starts of windows.
WITH minutes AS (
    SELECT
        time_bucket($4::interval, window_start) AS bucket, chat_count, unique_chatters,
        emote_counts, avg_sentiment, avg_viewers, peak_viewers, revision
    FROM chat_summary_minute
    WHERE stream_id = $1
      AND window_start >= $2
      AND window_start < $3
      AND ($7::timestamptz[] IS NULL OR time_bucket($4::interval, window_start) = ANY($7))
    ORDER BY window_start DESC
    LIMIT $5
),
sums AS (
    SELECT
        bucket, sum(chat_count)::bigint AS chat_count, max(unique_chatters) AS unique_chatters,
        sum(avg_sentiment * chat_count) / nullif(sum(chat_count), 0) AS avg_sentiment,
        sum(chat_count) / (60.0 * count(*)) AS chat_rate, avg(avg_viewers) AS avg_viewers,
        max(peak_viewers) AS peak_viewers, max(revision) AS revision
    FROM minutes
    GROUP BY bucket
    ORDER BY bucket DESC
    LIMIT $6
),
used AS (
    SELECT bucket, e.key AS emote, sum(e.value::bigint)::bigint AS uses
    FROM minutes, jsonb_each_text(emote_counts) AS e
    GROUP BY bucket, e.key
),
ranked AS (
    SELECT
        bucket, emote, uses,
        row_number() OVER (PARTITION BY bucket ORDER BY uses DESC, emote COLLATE "C") AS place
    FROM used
),
tops AS (
    SELECT
        bucket,
        array_agg(emote ORDER BY place) AS top_emotes, jsonb_object_agg(emote, uses) AS emote_counts
    FROM ranked
    WHERE place <= 10
    GROUP BY bucket
)
SELECT
    $1 AS stream_id, bucket AS window_start, bucket + $4 AS window_end, chat_count,
    unique_chatters, coalesce(top_emotes, '{}') AS top_emotes,
    coalesce(emote_counts, '{}') AS emote_counts, avg_sentiment,
    chat_rate::double precision AS chat_rate, avg_viewers, peak_viewers,
    NULL::double precision AS z_score, NULL::boolean AS is_anomaly, revision,
    NULL::boolean AS final
FROM sums
LEFT JOIN tops USING (bucket)
ORDER BY bucket DESC;

-- list_reading_buckets
-- As above, for one channel ($2); the spread is pooled around the common mean.
WITH minutes AS (
    SELECT
        time_bucket($5::interval, window_start) AS bucket, unit, count, mean, min, max, stddev,
        last, last_at, revision
    FROM reading_summary_minute
    WHERE stream_id = $1
      AND channel = $2
      AND window_start >= $3
      AND window_start < $4
      AND ($8::timestamptz[] IS NULL OR time_bucket($5::interval, window_start) = ANY($8))
    ORDER BY window_start DESC
    LIMIT $6
),
means AS (
    SELECT
        bucket, zero_if_tiny(sum(mean * count)) / sum(count)::double precision AS pooled_mean
    FROM minutes
    GROUP BY bucket
),
sums AS (
    SELECT
        bucket, last(unit, last_at) FILTER (WHERE unit IS NOT NULL) AS unit,
        sum(count)::bigint AS count, min(pooled_mean) AS pooled_mean, min(min) AS min,
        max(max) AS max, last(last, last_at) AS last, max(revision) AS revision,
        sum(
            zero_if_tiny(stddev) * zero_if_tiny(stddev) * (count - 1)
            + zero_if_tiny(mean - pooled_mean) * zero_if_tiny(mean - pooled_mean) * count
        ) AS squares
    FROM minutes
    JOIN means USING (bucket)
    GROUP BY bucket
)
SELECT
    $1 AS stream_id, $2 AS channel, bucket AS window_start, bucket + $5 AS window_end, unit, count,
    greatest(min, least(max, pooled_mean)) AS mean, min, max,
    coalesce(sqrt(squares / nullif(count - 1, 0)), 0) AS stddev,
    NULL::double precision AS p50, NULL::double precision AS p95, last,
    NULL::double precision AS z_score, NULL::boolean AS is_anomaly, revision,
    NULL::boolean AS final
FROM sums
ORDER BY bucket DESC
LIMIT $7;

-- list_chat_hours
-- Hours of one stream, newest first; what they cannot know is null.
SELECT
    stream_id, window_start, window_end, chat_count, unique_chatters,
    top_emotes, emote_counts,
    avg_sentiment, chat_rate, avg_viewers, peak_viewers, NULL::double precision AS z_score,
    NULL::boolean AS is_anomaly, revision, NULL::boolean AS final
FROM chat_summary_hour
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
  AND ($5::timestamptz[] IS NULL OR window_start = ANY($5))
ORDER BY window_start DESC
LIMIT $4;

-- list_chat_days
-- As above, days.
SELECT
    stream_id, window_start, window_end, chat_count, unique_chatters,
    top_emotes, emote_counts,
    avg_sentiment, chat_rate, avg_viewers, peak_viewers, NULL::double precision AS z_score,
    NULL::boolean AS is_anomaly, revision, NULL::boolean AS final
FROM chat_summary_day
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
  AND ($5::timestamptz[] IS NULL OR window_start = ANY($5))
ORDER BY window_start DESC
LIMIT $4;

-- list_reading_hours
-- Hours of one channel, newest first; they have no percentiles.
SELECT
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev,
    NULL::double precision AS p50, NULL::double precision AS p95, last,
    NULL::double precision AS z_score, NULL::boolean AS is_anomaly, revision,
    NULL::boolean AS final
FROM reading_summary_hour
WHERE stream_id = $1
  AND channel = $2
  AND window_start >= $3
  AND window_start < $4
  AND ($6::timestamptz[] IS NULL OR window_start = ANY($6))
ORDER BY window_start DESC
LIMIT $5;

-- list_reading_days
-- As above, days.
SELECT
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev,
    NULL::double precision AS p50, NULL::double precision AS p95, last,
    NULL::double precision AS z_score, NULL::boolean AS is_anomaly, revision,
    NULL::boolean AS final
FROM reading_summary_day
WHERE stream_id = $1
  AND channel = $2
  AND window_start >= $3
  AND window_start < $4
  AND ($6::timestamptz[] IS NULL OR window_start = ANY($6))
ORDER BY window_start DESC
LIMIT $5;
