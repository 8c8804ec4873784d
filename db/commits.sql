-- lock_offsets
-- What each shard has applied. Shards that are new get a row; every row is held until the end, in
-- one order, so that two flows never write one shard at once and never wait for one another in a
-- circle.
INSERT INTO source_offsets AS known (shard, applied_offset)
SELECT shard, 0
FROM unnest($1::integer[]) AS wanted(shard)
ORDER BY shard
ON CONFLICT (shard) DO UPDATE
SET applied_offset = known.applied_offset
RETURNING shard, applied_offset;

-- update_offsets
UPDATE source_offsets AS known
SET applied_offset = moved.applied_offset, applied_at = now()
FROM unnest($1::integer[], $2::bigint[]) AS moved(shard, applied_offset)
WHERE known.shard = moved.shard;

-- upsert_streams
-- A stream appears with its first event; a title in a meta event renames it.
INSERT INTO streams (stream_id, title, last_event_at)
SELECT stream_id, title, last_event_at
FROM json_to_recordset($1::json) AS r(
    stream_id text, title text, last_event_at timestamptz
)
ON CONFLICT (stream_id) DO UPDATE
SET title = coalesce(excluded.title, streams.title),
    last_event_at = greatest(streams.last_event_at, excluded.last_event_at),
    updated_at = now();

-- upsert_chat
-- Full rows; an older revision, offered again by a replay, changes nothing. Returns the hours of
-- which a final minute was really written, side by side, for the roll-up; and, as ``renewed``, those
-- of the streams asked for ($2) of which anything was written.
WITH written AS (
    INSERT INTO chat_summary_minute AS minutes (
        stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes, emote_counts,
        avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
    )
    SELECT
        stream_id, window_start, window_end, chat_count, unique_chatters, top_emotes::text[],
        emote_counts::jsonb, avg_sentiment, chat_rate, avg_viewers, peak_viewers, z_score,
        is_anomaly, revision, final
    FROM json_to_recordset($1::json) AS r(
        stream_id text, window_start timestamptz, window_end timestamptz, chat_count bigint,
        unique_chatters bigint, top_emotes text, emote_counts text, avg_sentiment double precision,
        chat_rate double precision, avg_viewers double precision, peak_viewers double precision,
        z_score double precision, is_anomaly boolean, revision bigint, final boolean
    )
    ON CONFLICT (stream_id, window_start) DO UPDATE
    SET window_end = excluded.window_end,
        chat_count = excluded.chat_count,
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
       OR (excluded.revision = minutes.revision AND excluded.final AND NOT minutes.final)
    RETURNING stream_id, window_start, final
),
touched AS (
    SELECT DISTINCT stream_id, date_bin('1 hour', window_start, 'epoch') AS hour_start
    FROM written
    WHERE final
)
SELECT
    array_agg(stream_id) AS streams, array_agg(hour_start) AS starts,
    ARRAY(SELECT DISTINCT stream_id FROM written WHERE stream_id = ANY($2)) AS renewed
FROM touched;

-- upsert_readings
-- As above, for channels.
WITH written AS (
    INSERT INTO reading_summary_minute AS minutes (
        stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, p50, p95,
        last, last_at, z_score, is_anomaly, revision, final
    )
    SELECT
        stream_id, channel, window_start, window_end, unit, count, mean, min, max, stddev, p50, p95,
        last, last_at, z_score, is_anomaly, revision, final
    FROM json_to_recordset($1::json) AS r(
        stream_id text, channel text, window_start timestamptz, window_end timestamptz, unit text,
        count bigint, mean double precision, min double precision, max double precision,
        stddev double precision, p50 double precision, p95 double precision, last double precision,
        last_at timestamptz, z_score double precision, is_anomaly boolean, revision bigint,
        final boolean
    )
    ON CONFLICT (stream_id, channel, window_start) DO UPDATE
    SET window_end = excluded.window_end,
        unit = coalesce(excluded.unit, minutes.unit),
        count = excluded.count,
        mean = excluded.mean,
        min = excluded.min,
        max = excluded.max,
        stddev = excluded.stddev,
        p50 = excluded.p50,
        p95 = excluded.p95,
        last = excluded.last,
        last_at = excluded.last_at,
        z_score = excluded.z_score,
        is_anomaly = excluded.is_anomaly,
        revision = excluded.revision,
        final = excluded.final
    WHERE excluded.revision > minutes.revision
       OR (excluded.revision = minutes.revision AND excluded.final AND NOT minutes.final)
    RETURNING stream_id, channel, window_start, final
),
touched AS (
    SELECT DISTINCT stream_id, channel, date_bin('1 hour', window_start, 'epoch') AS hour_start
    FROM written
    WHERE final
)
SELECT
    array_agg(stream_id) AS streams, array_agg(channel) AS channels, array_agg(hour_start) AS starts,
    ARRAY(SELECT DISTINCT stream_id FROM written WHERE stream_id = ANY($2)) AS renewed
FROM touched;

-- upsert_transactions
-- As above, for transactions, which are not rolled up.
WITH written AS (
    INSERT INTO transaction_summary_minute AS minutes (
        stream_id, kind, currency, window_start, window_end, count, sum, revision, final
    )
    SELECT
        stream_id, kind, currency, window_start, window_end, count, sum, revision, final
    FROM json_to_recordset($1::json) AS r(
        stream_id text, kind text, currency text, window_start timestamptz, window_end timestamptz,
        count bigint, sum double precision, revision bigint, final boolean
    )
    ON CONFLICT (stream_id, kind, currency, window_start) DO UPDATE
    SET window_end = excluded.window_end,
        count = excluded.count,
        sum = excluded.sum,
        revision = excluded.revision,
        final = excluded.final
    WHERE excluded.revision > minutes.revision
       OR (excluded.revision = minutes.revision AND excluded.final AND NOT minutes.final)
    RETURNING stream_id
)
SELECT ARRAY(SELECT DISTINCT stream_id FROM written WHERE stream_id = ANY($2)) AS renewed;

-- insert_late
INSERT INTO late_events (stream_id, window_start, type, events, batch_offset)
SELECT stream_id, window_start, type, events, batch_offset
FROM json_to_recordset($1::json) AS r(
    stream_id text, window_start timestamptz, type text, events bigint, batch_offset bigint
)
ON CONFLICT DO NOTHING;

-- insert_dead_letters
-- No name of a stream has a comma in it.
INSERT INTO dead_letters (shard, batch_offset, arrived_at, reason, payload, stream_ids)
SELECT shard, batch_offset, arrived_at, reason, payload, string_to_array(streams, ',')
FROM unnest($1::integer[], $2::bigint[], $3::timestamptz[], $4::text[], $5::bytea[], $6::text[])
    AS found(shard, batch_offset, arrived_at, reason, payload, streams)
ON CONFLICT DO NOTHING;
