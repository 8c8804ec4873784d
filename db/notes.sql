-- count_note
-- That a session has so many notes more or less that are shown ($2), and so many written ($3).
UPDATE sessions
SET note_count = note_count + $2, notes_written = notes_written + $3
WHERE session_id = $1
RETURNING notes_written;

-- insert_note
INSERT INTO notes (
    note_id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    updated_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9)
RETURNING
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at;

-- update_note
UPDATE notes
SET timestamp = $2,
    speaker = $3,
    content = $4,
    type = $5,
    tags = $6,
    telemetry_snapshot = $7,
    updated_by = $8,
    updated_at = clock_timestamp(),
    version = version + 1
WHERE note_id = $1
RETURNING
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at;

-- mark_note
-- Deleted at a time, or restored. It is another version, so that whoever saw it before is told.
UPDATE notes
SET deleted_at = $2, updated_by = $3, updated_at = clock_timestamp(), version = version + 1
WHERE note_id = $1
RETURNING
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at;

-- keep_version
-- The note as it is, beside who is about to replace it.
INSERT INTO note_versions (
    note_id, version, timestamp, speaker, content, type, tags, telemetry_snapshot, written_at,
    written_by, replaced_by
)
SELECT
    note_id, version, timestamp, speaker, content, type, tags, telemetry_snapshot, updated_at,
    updated_by, $2
FROM notes
WHERE note_id = $1;

-- count_versions
SELECT count(*) FROM note_versions WHERE note_id = $1;

-- list_versions
-- The newest first.
SELECT
    version, timestamp, speaker, content, type, tags, telemetry_snapshot, written_at, written_by,
    replaced_at, replaced_by
FROM note_versions
WHERE note_id = $1
ORDER BY version DESC
LIMIT $2;

-- lock_note
SELECT
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at
FROM notes
WHERE note_id = $1
  AND session_id = $2
FOR UPDATE;

-- get_note
SELECT
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at
FROM notes
WHERE note_id = $1
  AND session_id = $2
  AND deleted_at IS NULL;

-- list_notes
-- As time went on; words ($5) are looked for as they stand and by their English stems.
SELECT
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at, number
FROM notes
WHERE session_id = $1
  AND deleted_at IS NULL
  AND ($2::text IS NULL OR speaker = $2)
  AND ($3::text IS NULL OR type = $3)
  AND ($4::text IS NULL OR $4 = ANY (tags))
  AND (
      $5::text IS NULL
      OR words @@ (websearch_to_tsquery('simple', $5) || websearch_to_tsquery('english', $5))
  )
  AND timestamp >= $6
  AND timestamp < $7
  AND ($8::timestamptz IS NULL OR (timestamp, number) > ($8, $9::bigint))
ORDER BY timestamp, number
LIMIT $10;

-- list_moments
-- The moments that notes of a session tell of, oldest first.
SELECT
    m.moment_id, m.stream_id, m.timestamp, m.started_at, m.peak_at, m.ended_at, m.moment_type,
    m.metric_name, m.metric_value, m.expected, m.threshold, m.z_score, m.score, m.direction,
    m.state, m.description, m.reasons, m.metadata, m.former_state, m.shelved_until, m.label,
    m.version, m.revision
FROM notes AS n
CROSS JOIN LATERAL (
    SELECT *
    FROM moments
    WHERE moments.moment_id = n.moment_id
      AND moments.timestamp = n.moment_at
    LIMIT 1
) AS m
WHERE n.session_id = $1
  AND n.moment_id IS NOT NULL
  AND n.deleted_at IS NULL
ORDER BY m.timestamp, m.moment_id
LIMIT $2;
