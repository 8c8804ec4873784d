-- list_chat_rows
-- Chat minutes of a span; $3 narrows to one stream.
SELECT
    stream_id, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, chat_count,
    unique_chatters, avg_sentiment, avg_viewers, peak_viewers,
    (SELECT coalesce(json_agg(json_build_object('emote', e.key, 'count', e.value::bigint)), '[]')
     FROM jsonb_each_text(emote_counts) AS e) AS emotes,
    revision, final
FROM chat_summary_minute
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_reading_rows
-- Channel minutes, likewise.
SELECT
    stream_id, channel, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, count,
    mean, min, max, stddev, last, revision, final
FROM reading_summary_minute
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_transaction_rows
-- Transactions, counted and summed by minute, kind and currency.
SELECT
    stream_id, (extract(epoch FROM minute) * 1000000)::bigint AS minute, kind, currency,
    count(*) AS count, sum(amount) AS amount
FROM (
    SELECT stream_id, time_bucket('1 minute', timestamp) AS minute, kind, currency, amount
    FROM transactions
    WHERE timestamp >= $1
      AND timestamp < $2
      AND ($3::text IS NULL OR stream_id = $3)
) AS points
GROUP BY stream_id, minute, kind, currency
LIMIT $4;

-- list_late
-- Which events of which entries came too late for their minute, and whether they count since.
SELECT
    stream_id, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, type,
    batch_offset AS offset, applied_at IS NOT NULL AS applied
FROM late_events
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_offsets
SELECT shard, applied_offset FROM source_offsets ORDER BY shard LIMIT $1;

-- lock_late
-- Two recomputations of one hour wait for one another; the second finds nothing left to do.
SELECT pg_advisory_xact_lock(hashtextextended('recompute', extract(epoch FROM $1::timestamptz)::bigint));

-- upsert_chat
-- What a minute counts is recomputed; how it was judged when it was new stays.
INSERT INTO chat_summary_minute AS minutes (
    stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes, emote_counts,
    avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
)
SELECT
    r.stream_id, r.window_start, r.window_end, r.chat_count, r.unique_chatters,
    ARRAY(SELECT e->>'emote' FROM json_array_elements(r.top_emotes) AS e),
    coalesce(
        (SELECT jsonb_object_agg(e->>'emote', (e->>'count')::bigint)
         FROM json_array_elements(r.top_emotes) AS e),
        '{}'
    ),
    r.avg_sentiment, r.chat_rate, r.avg_viewers, r.peak_viewers, NULL, false, r.revision, true
FROM json_to_recordset($1::json) AS r(
    stream_id text, window_start timestamptz, window_end timestamptz, chat_count bigint,
    unique_chatters bigint, top_emotes json, avg_sentiment double precision,
    chat_rate double precision, avg_viewers double precision, peak_viewers double precision,
    revision bigint
)
ON CONFLICT (stream_id, window_start) DO UPDATE
SET chat_count = excluded.chat_count,
    unique_chatters = excluded.unique_chatters,
    top_emotes = excluded.top_emotes,
    emote_counts = excluded.emote_counts,
    avg_sentiment = excluded.avg_sentiment,
    chat_rate = excluded.chat_rate,
    avg_viewers = excluded.avg_viewers,
    peak_viewers = excluded.peak_viewers,
    revision = excluded.revision,
    final = true
WHERE excluded.revision > minutes.revision;

-- upsert_readings
-- As above, for channels.
INSERT INTO reading_summary_minute AS minutes (
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, last,
    last_at, z_score, is_anomaly, revision, final
)
SELECT
    r.stream_id, r.channel, r.window_start, r.window_end, r.unit, r.count, r.mean, r.min, r.max,
    r.stddev, r.last, r.last_at, NULL, false, r.revision, true
FROM json_to_recordset($1::json) AS r(
    stream_id text, channel text, window_start timestamptz, window_end timestamptz, unit text,
    count bigint, mean double precision, min double precision, max double precision,
    stddev double precision, last double precision, last_at timestamptz, revision bigint
)
ON CONFLICT (stream_id, channel, window_start) DO UPDATE
SET unit = coalesce(excluded.unit, minutes.unit),
    count = excluded.count,
    mean = excluded.mean,
    min = excluded.min,
    max = excluded.max,
    stddev = excluded.stddev,
    last = excluded.last,
    last_at = excluded.last_at,
    revision = excluded.revision,
    final = true
WHERE excluded.revision > minutes.revision;

-- mark_applied
UPDATE late_events AS late
SET applied_at = now()
FROM json_to_recordset($1::json) AS r(
    stream_id text, window_start timestamptz, type text, batch_offset bigint
)
WHERE late.stream_id = r.stream_id
  AND late.window_start = r.window_start
  AND late.type = r.type
  AND late.batch_offset = r.batch_offset
  AND late.applied_at IS NULL;
