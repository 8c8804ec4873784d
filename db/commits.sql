-- lock_offset
-- What the shard has applied; the row is held, so that two flows never write one shard at once.
SELECT applied_offset
FROM source_offsets
WHERE shard = $1
FOR UPDATE;

-- insert_offset
INSERT INTO source_offsets (shard, applied_offset)
VALUES ($1, 0)
ON CONFLICT DO NOTHING;

-- update_offset
UPDATE source_offsets
SET applied_offset = $2, applied_at = now()
WHERE shard = $1;

-- upsert_streams
-- A stream appears with its first event; a title in a meta event renames it.
INSERT INTO streams (stream_id, title, last_event_at)
SELECT r.stream_id, r.title, r.last_event_at
FROM json_to_recordset($1::json)
    AS r(stream_id text, title text, last_event_at timestamptz)
ON CONFLICT (stream_id) DO UPDATE
SET title = coalesce(excluded.title, streams.title),
    last_event_at = greatest(streams.last_event_at, excluded.last_event_at),
    updated_at = now();

-- upsert_chat
-- Full rows; an older revision, offered again by a replay, changes nothing.
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
    r.avg_sentiment, r.chat_rate, r.avg_viewers, r.peak_viewers, r.z_score, r.is_anomaly,
    r.revision, r.final
FROM json_to_recordset($1::json) AS r(
    stream_id text, window_start timestamptz, window_end timestamptz, chat_count bigint,
    unique_chatters bigint, top_emotes json, avg_sentiment double precision,
    chat_rate double precision, avg_viewers double precision, peak_viewers double precision,
    z_score double precision, is_anomaly boolean, revision bigint, final boolean
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
    z_score = excluded.z_score,
    is_anomaly = excluded.is_anomaly,
    revision = excluded.revision,
    final = excluded.final
WHERE excluded.revision > minutes.revision
   OR (excluded.revision = minutes.revision AND excluded.final AND NOT minutes.final);

-- upsert_readings
-- As above, for channels.
INSERT INTO reading_summary_minute AS minutes (
    stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, last,
    last_at, z_score, is_anomaly, revision, final
)
SELECT
    r.stream_id, r.channel, r.window_start, r.window_end, r.unit, r.count, r.mean, r.min, r.max,
    r.stddev, r.last, r.last_at, r.z_score, r.is_anomaly, r.revision, r.final
FROM json_to_recordset($1::json) AS r(
    stream_id text, channel text, window_start timestamptz, window_end timestamptz, unit text,
    count bigint, mean double precision, min double precision, max double precision,
    stddev double precision, last double precision, last_at timestamptz,
    z_score double precision, is_anomaly boolean, revision bigint, final boolean
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
    z_score = excluded.z_score,
    is_anomaly = excluded.is_anomaly,
    revision = excluded.revision,
    final = excluded.final
WHERE excluded.revision > minutes.revision
   OR (excluded.revision = minutes.revision AND excluded.final AND NOT minutes.final);

-- upsert_moments
-- What a person did with a moment is not undone by the flow: it was acknowledged, shelved, or
-- resolved while it still went on.
INSERT INTO moments AS known (
    moment_id, timestamp, stream_id, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, revision
)
SELECT
    r.moment_id, r.timestamp, r.stream_id, r.started_at, r.peak_at, r.ended_at, r.moment_type,
    r.metric_name, r.metric_value, r.expected, r.threshold, r.z_score, r.score, r.direction,
    r.state, r.description, r.revision
FROM json_to_recordset($1::json) AS r(
    moment_id text, timestamp timestamptz, stream_id text, started_at timestamptz,
    peak_at timestamptz, ended_at timestamptz, moment_type text, metric_name text,
    metric_value double precision, expected double precision, threshold double precision,
    z_score double precision, score double precision, direction text, state text,
    description text, revision bigint
)
ON CONFLICT (moment_id, timestamp) DO UPDATE
SET peak_at = excluded.peak_at,
    ended_at = excluded.ended_at,
    metric_value = excluded.metric_value,
    expected = excluded.expected,
    z_score = excluded.z_score,
    score = excluded.score,
    state = CASE WHEN known.state IN ('acknowledged', 'shelved')
                   OR (known.state = 'resolved' AND known.ended_at IS NULL) THEN known.state
                 ELSE excluded.state END,
    description = excluded.description,
    revision = excluded.revision
WHERE excluded.revision >= known.revision;

-- insert_late
INSERT INTO late_events (stream_id, window_start, type, events, batch_offset)
SELECT r.stream_id, r.window_start, r.type, r.events, r.batch_offset
FROM json_to_recordset($1::json) AS r(
    stream_id text, window_start timestamptz, type text, events bigint, batch_offset bigint
);
