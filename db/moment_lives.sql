-- lock_moment
-- Held until the end of the transaction: of two people the second one sees what the first one did,
-- and the flow adds its numbers before or after.
SELECT
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision
FROM moments
WHERE moment_id = $1
LIMIT 1
FOR UPDATE;

-- update_life
UPDATE moments
SET state = $3,
    former_state = $4,
    shelved_until = $5,
    label = $6,
    version = $7
WHERE moment_id = $1
  AND timestamp = $2
RETURNING
    moment_id, stream_id, timestamp, started_at, peak_at, ended_at, moment_type, metric_name,
    metric_value, expected, threshold, z_score, score, direction, state, description, reasons,
    metadata, former_state, shelved_until, label, version, revision;

-- insert_entry
INSERT INTO moment_lives (
    moment_id, version, stream_id, at, actor_key_id, actor_name, action, state, shelved_until,
    is_labelled, label, comment
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);

-- list_entries
-- What people did with a moment, oldest first.
SELECT
    version, at, actor_key_id, actor_name, action, state, shelved_until, is_labelled, label, comment
FROM moment_lives
WHERE moment_id = $1
ORDER BY version
LIMIT $2;

-- is_last_comment
-- Whether somebody's last comment on a moment is this one: a request that is sent again adds none.
SELECT coalesce((
    SELECT comment = $4
    FROM moment_lives
    WHERE moment_id = $1
      AND actor_name = $2
      AND actor_key_id IS NOT DISTINCT FROM $3
      AND comment IS NOT NULL
    ORDER BY version DESC
    LIMIT 1
), false);
