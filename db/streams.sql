-- list_streams
-- Streams by id, each with its newest minute.
SELECT
    s.stream_id, s.title, s.kind, s.created_at, s.updated_at, s.last_event_at, s.metadata,
    to_jsonb(m) AS latest
FROM streams AS s
LEFT JOIN LATERAL (
    SELECT
        window_start, window_end, chat_count, unique_chatters, avg_sentiment, chat_rate,
        avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
    FROM chat_summary_minute
    WHERE stream_id = s.stream_id
      AND window_start >= coalesce(s.last_event_at, now()) - INTERVAL '1 hour'
    ORDER BY window_start DESC
    LIMIT 1
) AS m ON true
WHERE ($1::text IS NULL OR s.stream_id > $1)
  AND ($2::text IS NULL OR s.kind = $2)
  AND ($3::text IS NULL OR position(lower($3) IN lower(s.stream_id || ' ' || coalesce(s.title, ''))) > 0)
  AND ($4::boolean IS NULL OR (coalesce(s.last_event_at > $5, false)) = $4)
ORDER BY s.stream_id
LIMIT $6
OFFSET $7;

-- list_overview
-- Streams by id, each with its newest minute, and with the rates of a span by the number of the
-- minute in it. Nothing of the past is looked at when the span is empty.
SELECT
    s.stream_id, s.title, s.kind, s.last_event_at, m.window_start, m.chat_rate, m.avg_viewers,
    m.avg_sentiment, m.z_score, m.is_anomaly, m.revision, m.final, r.minutes, r.rates
FROM streams AS s
LEFT JOIN LATERAL (
    SELECT
        window_start, chat_rate, avg_viewers, avg_sentiment, z_score, is_anomaly, revision, final
    FROM chat_summary_minute
    WHERE stream_id = s.stream_id
      AND window_start >= coalesce(s.last_event_at, now()) - INTERVAL '1 hour'
    ORDER BY window_start DESC
    LIMIT 1
) AS m ON true
LEFT JOIN LATERAL (
    SELECT
        array_agg((extract(epoch FROM window_start - $2::timestamptz) / 60)::integer) AS minutes,
        array_agg(chat_rate) AS rates
    FROM chat_summary_minute
    WHERE stream_id = s.stream_id
      AND window_start >= $2
      AND window_start < $3
) AS r ON true
WHERE ($1::text IS NULL OR s.stream_id > $1)
ORDER BY s.stream_id
LIMIT $4;

-- get_stream
SELECT
    s.stream_id, s.title, s.kind, s.created_at, s.updated_at, s.last_event_at, s.metadata,
    to_jsonb(m) AS latest
FROM streams AS s
LEFT JOIN LATERAL (
    SELECT
        window_start, window_end, chat_count, unique_chatters, avg_sentiment, chat_rate,
        avg_viewers, peak_viewers, z_score, is_anomaly, revision, final
    FROM chat_summary_minute
    WHERE stream_id = s.stream_id
      AND window_start >= coalesce(s.last_event_at, now()) - INTERVAL '1 hour'
    ORDER BY window_start DESC
    LIMIT 1
) AS m ON true
WHERE s.stream_id = $1
LIMIT 1;

-- exists_stream
SELECT EXISTS (SELECT FROM streams WHERE stream_id = $1);

-- put_stream
INSERT INTO streams (stream_id, title, kind, metadata)
VALUES ($1, $2, coalesce($3, 'stream'), coalesce($4::jsonb, '{}'))
ON CONFLICT (stream_id) DO UPDATE
SET title = coalesce($2, streams.title),
    kind = coalesce($3, streams.kind),
    metadata = coalesce($4::jsonb, streams.metadata),
    updated_at = now();

-- lock_stream
-- What people say about a stream, held until the end of the transaction.
SELECT title, kind, metadata
FROM streams
WHERE stream_id = $1
LIMIT 1
FOR UPDATE;
