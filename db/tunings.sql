-- lock_changes
-- Changes of rules are rare and go one after the other, so that the limit on rules is exact.
SELECT pg_advisory_xact_lock($1);

-- count_tunings
SELECT count(*) FROM tunings;

-- find_same
-- The rule for the same streams and metrics, other than one.
SELECT tuning_id
FROM tunings
WHERE stream_pattern = $1
  AND metric_pattern = $2
  AND tuning_id <> $3
LIMIT 1;

-- insert_tuning
INSERT INTO tunings (
    tuning_id, stream_pattern, metric_pattern, is_watched, strictness, deviation_min, direction,
    merge_s, cool_down_s, silence_after_s, created_by, updated_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
RETURNING
    tuning_id, stream_pattern, metric_pattern, is_watched, strictness, deviation_min, direction,
    merge_s, cool_down_s, silence_after_s, created_at, created_by, updated_at, updated_by;

-- replace_tuning
UPDATE tunings
SET stream_pattern = $2,
    metric_pattern = $3,
    is_watched = $4,
    strictness = $5,
    deviation_min = $6,
    direction = $7,
    merge_s = $8,
    cool_down_s = $9,
    silence_after_s = $10,
    updated_at = clock_timestamp(),
    updated_by = $11
WHERE tuning_id = $1
RETURNING
    tuning_id, stream_pattern, metric_pattern, is_watched, strictness, deviation_min, direction,
    merge_s, cool_down_s, silence_after_s, created_at, created_by, updated_at, updated_by;

-- delete_tuning
DELETE FROM tunings WHERE tuning_id = $1;

-- get_tuning
SELECT
    tuning_id, stream_pattern, metric_pattern, is_watched, strictness, deviation_min, direction,
    merge_s, cool_down_s, silence_after_s, created_at, created_by, updated_at, updated_by
FROM tunings
WHERE tuning_id = $1;

-- list_tunings
-- By what they are about, from after a rule on.
SELECT
    tuning_id, stream_pattern, metric_pattern, is_watched, strictness, deviation_min, direction,
    merge_s, cool_down_s, silence_after_s, created_at, created_by, updated_at, updated_by
FROM tunings
WHERE $1::text IS NULL OR (stream_pattern, metric_pattern) > ($1, $2::text)
ORDER BY stream_pattern, metric_pattern
LIMIT $3;

-- list_rules
-- All of them, as the flow judges by them.
SELECT
    tuning_id, stream_pattern, metric_pattern, is_watched, strictness, deviation_min, direction,
    merge_s, cool_down_s, silence_after_s
FROM tunings
ORDER BY tuning_id
LIMIT $1;

-- stamp_rules
-- One number that is another one when any rule comes, goes or changes; 0 when there is none.
SELECT coalesce(
    hashtextextended(
        string_agg(tuning_id || extract(epoch FROM updated_at), ',' ORDER BY tuning_id), 0
    ),
    0
)
FROM tunings;
