-- list_moments
-- Moments of one stream or of all, newest first; {stored} narrows down what a state may be stored as.
SELECT
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision
FROM moments
WHERE ($1::text IS NULL OR stream_id = $1)
  AND timestamp >= $2
  AND timestamp < $3
  AND ($4::text IS NULL OR moment_type = $4)
  AND {stored}
  AND ($5::text IS NULL OR moment_state(state, former_state, shelved_until, ended_at, $10) = $5)
  AND score >= $6
  AND ($7::timestamptz IS NULL OR timestamp <= $7)
  AND ($7::timestamptz IS NULL OR timestamp < $7 OR (timestamp = $7 AND moment_id > $8))
ORDER BY timestamp DESC, moment_id
LIMIT $9;

-- find_shelf_end
-- When the next moment of one stream or of all comes back from its shelf.
SELECT min(shelved_until)
FROM moments
WHERE shelved_until > $2
  AND ($1::text IS NULL OR stream_id = $1);

-- find_moment
SELECT
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision
FROM moments
WHERE moment_id = $1
LIMIT 1;

-- list_open_moments
-- Moments of some streams that are not over, newest first.
SELECT
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision
FROM moments
WHERE stream_id = ANY($1)
  AND timestamp >= $2
  AND ended_at IS NULL
ORDER BY timestamp DESC, moment_id
LIMIT $3;

-- upsert_moments
-- What people did with a moment is not touched: its state, shelf, label and version are theirs.
-- Returns what was written as it is stored, theirs included, for whoever is told of it.
INSERT INTO moments AS known (
    moment_id, timestamp, stream_id, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, revision
)
SELECT
    r.moment_id, r.timestamp, r.stream_id, r.started_at, r.peak_at, r.ended_at, r.moment_type,
    r.metric_name, r.metric_value, r.expected, r.threshold, r.z_score, r.score, r.direction,
    r.state, r.description, r.reasons, r.metadata, r.revision
FROM json_to_recordset($1::json) AS r(
    moment_id text, timestamp timestamptz, stream_id text, started_at timestamptz,
    peak_at timestamptz, ended_at timestamptz, moment_type text, metric_name text,
    metric_value double precision, expected double precision, threshold double precision,
    z_score double precision, score double precision, direction text, state text,
    description text, reasons jsonb, metadata jsonb, revision bigint
)
ON CONFLICT (moment_id, timestamp) DO UPDATE
SET started_at = excluded.started_at,
    peak_at = excluded.peak_at,
    ended_at = excluded.ended_at,
    metric_value = excluded.metric_value,
    expected = excluded.expected,
    threshold = excluded.threshold,
    z_score = excluded.z_score,
    score = excluded.score,
    direction = excluded.direction,
    description = excluded.description,
    reasons = excluded.reasons,
    metadata = excluded.metadata,
    revision = excluded.revision
WHERE excluded.revision >= known.revision
RETURNING
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision;

-- list_best_moments
-- The highest scores of one stream, and how many moments there are.
SELECT
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision, count(*) OVER () AS found
FROM moments
WHERE stream_id = $1
  AND timestamp >= $2
  AND timestamp < $3
ORDER BY score DESC, timestamp, moment_id
LIMIT $4;
