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
    stream_id, channel, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, unit,
    count, mean, min, max, stddev, p50, p95, last,
    (extract(epoch FROM last_at) * 1000000)::bigint AS last_at, revision, final
FROM reading_summary_minute
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_transaction_rows
-- Minutes of transactions, likewise.
SELECT
    stream_id, kind, currency, (extract(epoch FROM window_start) * 1000000)::bigint AS minute,
    count, sum, revision, final
FROM transaction_summary_minute
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_chat_hours
-- Hours of chat, as the roll-up left them.
SELECT
    stream_id, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, minutes,
    chat_count, unique_chatters, array_to_json(top_emotes) AS top_emotes,
    (SELECT coalesce(json_agg(json_build_object('emote', e.key, 'count', e.value::bigint)), '[]')
     FROM jsonb_each_text(emote_counts) AS e) AS emotes,
    avg_sentiment, chat_rate, watched_minutes, avg_viewers, peak_viewers, revision
FROM chat_summary_hour
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_chat_days
-- Days of chat, likewise.
SELECT
    stream_id, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, minutes,
    chat_count, unique_chatters, array_to_json(top_emotes) AS top_emotes,
    (SELECT coalesce(json_agg(json_build_object('emote', e.key, 'count', e.value::bigint)), '[]')
     FROM jsonb_each_text(emote_counts) AS e) AS emotes,
    avg_sentiment, chat_rate, watched_minutes, avg_viewers, peak_viewers, revision
FROM chat_summary_day
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_reading_hours
-- Hours of channels, as the roll-up left them.
SELECT
    stream_id, channel, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, minutes,
    unit, count, mean, min, max, stddev, last,
    (extract(epoch FROM last_at) * 1000000)::bigint AS last_at, revision
FROM reading_summary_hour
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_reading_days
-- Days of channels, likewise.
SELECT
    stream_id, channel, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, minutes,
    unit, count, mean, min, max, stddev, last,
    (extract(epoch FROM last_at) * 1000000)::bigint AS last_at, revision
FROM reading_summary_day
WHERE window_start >= $1
  AND window_start < $2
  AND ($3::text IS NULL OR stream_id = $3)
LIMIT $4;

-- list_late
-- Which events of which entries came too late for their minute, and since when they count.
SELECT
    stream_id, (extract(epoch FROM window_start) * 1000000)::bigint AS minute, type,
    batch_offset AS offset, (extract(epoch FROM applied_at) * 1000000)::bigint AS applied_at
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

-- lock_shards
-- The flow waits until the end: two transactions that roll up one hour would each miss what the
-- other has written.
SELECT shard FROM source_offsets ORDER BY shard FOR UPDATE;

-- upsert_chat
-- What a minute counts is recomputed; how it was judged when it was new stays.
INSERT INTO chat_summary_minute AS minutes (
    stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes, emote_counts,
    avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
)
SELECT
    stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes::text[],
    emote_counts::jsonb, avg_sentiment, chat_rate, avg_viewers, peak_viewers, NULL, false, revision,
    true
FROM json_to_recordset($1::json) AS r(
    stream_id text, window_start timestamptz, window_end timestamptz, chat_count bigint,
    unique_chatters bigint, top_emotes text, emote_counts text, avg_sentiment double precision,
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
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, p50, p95,
    last, last_at, z_score, is_anomaly, revision, final
)
SELECT
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, p50, p95,
    last, last_at, NULL, false, revision, true
FROM json_to_recordset($1::json) AS r(
    stream_id text, channel text, window_start timestamptz, window_end timestamptz, unit text,
    count bigint, mean double precision, min double precision, max double precision,
    stddev double precision, p50 double precision, p95 double precision, last double precision,
    last_at timestamptz, revision bigint
)
ON CONFLICT (stream_id, channel, window_start) DO UPDATE
SET unit = coalesce(excluded.unit, minutes.unit),
    count = excluded.count,
    mean = excluded.mean,
    min = excluded.min,
    max = excluded.max,
    stddev = excluded.stddev,
    p50 = excluded.p50,
    p95 = excluded.p95,
    last = excluded.last,
    last_at = excluded.last_at,
    revision = excluded.revision,
    final = true
WHERE excluded.revision > minutes.revision;

-- upsert_transactions
-- As above, for transactions.
INSERT INTO transaction_summary_minute AS minutes (
    stream_id, kind, currency, window_start, window_end, count, sum, revision, final
)
SELECT stream_id, kind, currency, window_start, window_end, count, sum, revision, true
FROM json_to_recordset($1::json) AS r(
    stream_id text, kind text, currency text, window_start timestamptz, window_end timestamptz,
    count bigint, sum double precision, revision bigint
)
ON CONFLICT (stream_id, kind, currency, window_start) DO UPDATE
SET count = excluded.count,
    sum = excluded.sum,
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
