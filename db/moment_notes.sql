-- list_unwritten
-- Moments of the streams of sessions that go on, or ended just now ($3), of which there is no note,
-- or one that an earlier telling of the moment stands in. A moment belongs to a session when it
-- began during it, or in the minute of its start, to which the flow may have put it; those that began
-- before a time ($1) are not looked at.
SELECT
    looking.session_id, looking.stream_ids, m.moment_id, m.stream_id, m.timestamp, m.moment_type,
    m.description, m.reasons, m.score, m.metadata, m.revision,
    n.note_id, n.content, n.version
FROM (
    SELECT
        s.session_id, s.started_at, coalesce(s.ended_at, 'infinity') AS ended_at,
        ARRAY(
            SELECT stream_id FROM session_streams WHERE session_id = s.session_id ORDER BY place
        ) AS stream_ids
    FROM sessions AS s
    WHERE coalesce(s.ended_at, 'infinity') > $3
    ORDER BY coalesce(s.ended_at, 'infinity') DESC
    LIMIT $4
) AS looking
CROSS JOIN LATERAL unnest(looking.session_id || looking.stream_ids) AS looked(stream_id)
CROSS JOIN LATERAL (
    SELECT
        moment_id, stream_id, timestamp, moment_type, description, reasons, score, metadata,
        revision
    FROM moments
    WHERE stream_id = looked.stream_id
      AND timestamp >= $1
      AND timestamp >= date_bin('1 minute', looking.started_at, 'epoch')
      AND timestamp <= looking.ended_at
      AND timestamp <= $2
    ORDER BY timestamp DESC
    LIMIT $5
) AS m
LEFT JOIN LATERAL (
    SELECT note_id, content, version, deleted_at, moment_revision
    FROM notes
    WHERE session_id = looking.session_id
      AND moment_id = m.moment_id
    LIMIT 1
) AS n ON true
WHERE (
    n.note_id IS NULL
    AND coalesce(m.metadata ->> 'withdrawn', 'false') <> 'true'
)
   OR (n.deleted_at IS NULL AND n.moment_revision < m.revision)
ORDER BY m.timestamp, m.moment_id, looking.session_id
LIMIT $5;

-- insert_notes
-- However often a moment is found, it has one note in a session.
INSERT INTO notes (
    note_id, session_id, timestamp, content, type, tags, telemetry_snapshot, author, moment_id,
    moment_at, moment_revision, updated_by
)
SELECT
    r.note_id, r.session_id, r.timestamp, r.content, 'system', r.tags, r.telemetry_snapshot,
    r.author, r.moment_id, r.timestamp, r.moment_revision, r.author
FROM json_to_recordset($1::json) AS r(
    note_id text, session_id text, timestamp timestamptz, content text, tags text[],
    telemetry_snapshot jsonb, author text, moment_id text, moment_revision bigint
)
JOIN sessions AS s ON s.session_id = r.session_id
FOR KEY SHARE OF s
ON CONFLICT (session_id, moment_id) DO NOTHING
RETURNING
    note_id AS id, session_id, timestamp, speaker, content, type, tags, telemetry_snapshot, author,
    moment_id, version, created_at, updated_at, updated_by, deleted_at;

-- count_notes
-- That sessions ($1) have so many notes more ($2).
UPDATE sessions
SET note_count = note_count + added.notes, notes_written = notes_written + added.notes
FROM (
    SELECT session_id, notes FROM unnest($1::text[], $2::integer[]) AS more(session_id, notes)
) AS added
WHERE sessions.session_id = added.session_id;

-- keep_versions
-- What people made of notes, before more is said in them.
INSERT INTO note_versions (
    note_id, version, timestamp, speaker, content, type, tags, telemetry_snapshot, written_at,
    written_by, replaced_by
)
SELECT
    note_id, version, timestamp, speaker, content, type, tags, telemetry_snapshot, updated_at,
    updated_by, $2
FROM notes
WHERE note_id = ANY ($1::text[])
ON CONFLICT (note_id, version) DO NOTHING;

-- revise_notes
-- What the flow says of a moment now; nobody wrote in between, or the next look does it. Only what
-- people have changed before gets another version.
UPDATE notes AS n
SET content = r.content,
    moment_revision = r.moment_revision,
    version = n.version + CASE WHEN n.version > 1 AND n.content <> r.content THEN 1 ELSE 0 END,
    updated_at = CASE WHEN n.content = r.content THEN n.updated_at ELSE clock_timestamp() END
FROM json_to_recordset($1::json) AS r(
    note_id text, version integer, content text, moment_revision bigint
)
WHERE n.note_id = r.note_id
  AND n.version = r.version
RETURNING
    n.note_id AS id, n.session_id, n.timestamp, n.speaker, n.content, n.type, n.tags,
    n.telemetry_snapshot, n.author, n.moment_id, n.version, n.created_at, n.updated_at,
    n.updated_by, n.deleted_at;
