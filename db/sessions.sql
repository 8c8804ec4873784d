-- insert_session
INSERT INTO sessions (session_id, name, description, started_at, created_by, updated_by)
VALUES ($1, $2, $3, $4, $5, $5);

-- insert_stream
-- The session's own stream: there before its first reading.
INSERT INTO streams (stream_id, title, kind)
VALUES ($1, $2, $3)
ON CONFLICT (stream_id) DO UPDATE
SET title = excluded.title, updated_at = now();

-- delete_streams
DELETE FROM session_streams WHERE session_id = $1;

-- insert_streams
INSERT INTO session_streams (session_id, stream_id, place)
SELECT $1, stream_id, place
FROM unnest($2::text[]) WITH ORDINALITY AS wanted(stream_id, place);

-- update_session
UPDATE sessions
SET name = $2,
    description = $3,
    status = $4,
    ended_at = $5,
    summary = $6,
    updated_at = $8,
    updated_by = $7
WHERE session_id = $1;

-- delete_session
DELETE FROM sessions WHERE session_id = $1;

-- lock_session
-- Held until the end of the transaction, so that changes of one session follow one another.
SELECT session_id FROM sessions WHERE session_id = $1 FOR UPDATE;

-- list_named
-- The sessions of some ids ($1), whole.
SELECT
    s.session_id AS id, s.name, s.description, s.status, s.started_at, s.ended_at, s.note_count,
    ARRAY(
        SELECT stream_id FROM session_streams WHERE session_id = s.session_id ORDER BY place
    ) AS stream_ids,
    s.created_by, s.updated_at, s.updated_by, s.summary
FROM sessions AS s
WHERE s.session_id = ANY ($1::text[])
LIMIT $2;

-- list_sessions
-- Newest first; of those within reach of some patterns of streams ($2), if these are given. Words
-- ($6) are looked for as they stand and by their English stems.
SELECT
    s.session_id AS id, s.name, s.description, s.status, s.started_at, s.ended_at, s.note_count,
    looked.stream_ids, s.created_by, s.updated_at, s.updated_by
FROM sessions AS s
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(stream_id ORDER BY place), '{}') AS stream_ids,
        bool_and(stream_id LIKE ANY ($2::text[])) AS is_within_reach
    FROM session_streams
    WHERE session_id = s.session_id
) AS looked
WHERE ($1::text IS NULL OR s.status = $1)
  AND (
      $2::text[] IS NULL
      OR coalesce(looked.is_within_reach, s.session_id LIKE ANY ($2::text[]))
  )
  AND ($3::timestamptz IS NULL OR (s.started_at, s.session_id) < ($3, $4))
  AND (
      $6::text IS NULL
      OR s.words @@ (websearch_to_tsquery('simple', $6) || websearch_to_tsquery('english', $6))
  )
ORDER BY s.started_at DESC, s.session_id DESC
LIMIT $5;

-- list_note_counts
SELECT type, count(*) AS notes
FROM notes
WHERE session_id = $1
  AND deleted_at IS NULL
GROUP BY type
ORDER BY type
LIMIT $2;

-- list_channel_sums
-- What the minutes of some streams come to, by channel. Of the session's own stream ($1) all count:
-- nothing else is in it. Of the others those that the session touches.
SELECT
    stream_id, channel, max(unit) AS unit, sum(count)::bigint AS count,
    sum(mean * count) / sum(count) AS mean, min(min) AS min, max(max) AS max,
    (array_agg(last ORDER BY last_at DESC))[1] AS last
FROM (
    SELECT stream_id, channel, unit, count, mean, min, max, last, last_at
    FROM reading_summary_minute
    WHERE stream_id = $1
    UNION ALL
    SELECT stream_id, channel, unit, count, mean, min, max, last, last_at
    FROM reading_summary_minute
    WHERE stream_id = ANY ($2::text[])
      AND window_start > $3::timestamptz - INTERVAL '1 minute'
      AND window_start <= $4
) AS heard
GROUP BY stream_id, channel
ORDER BY stream_id <> $1, stream_id, channel
LIMIT $5;

-- list_moment_counts
-- Moments of some streams in a stretch of time, by type, without those that turned out to be none.
SELECT moment_type, count(*) AS moments
FROM moments
WHERE stream_id = ANY ($1::text[])
  AND timestamp >= date_bin('1 minute', $2::timestamptz, 'epoch')
  AND timestamp <= $3
  AND coalesce(metadata ->> 'withdrawn', 'false') <> 'true'
GROUP BY moment_type
ORDER BY moment_type
LIMIT $4;
