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
