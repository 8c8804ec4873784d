-- insert_rows
-- A row that is there already is the same one, written again after a broken connection.
WITH inserted AS (
    INSERT INTO device_log (device_id, timestamp, seq, kind, id, value, received_at)
    SELECT device_id, timestamp, seq, kind, id, value::jsonb, received_at
    FROM unnest(
        $1::text[], $2::timestamptz[], $3::bigint[], $4::text[], $5::text[], $6::text[],
        $7::timestamptz[]
    ) AS given(device_id, timestamp, seq, kind, id, value, received_at)
    ON CONFLICT DO NOTHING
    RETURNING device_id
)
INSERT INTO device_log_counts (device_id, rows)
SELECT device_id, count(*)
FROM inserted
GROUP BY device_id
ORDER BY device_id
ON CONFLICT (device_id) DO UPDATE
SET rows = device_log_counts.rows + excluded.rows;

-- list_rows
-- Newest first, from before a place on.
SELECT kind, id, value, timestamp, received_at, seq
FROM device_log
WHERE device_id = $1
  AND timestamp >= $2
  AND timestamp <= $3
  AND ($4::text IS NULL OR kind = $4)
  AND ($5::text IS NULL OR id = $5)
  AND ($6::bigint IS NULL OR (timestamp, seq) < ($3, $6))
ORDER BY timestamp DESC, seq DESC
LIMIT $7;

-- count_rows
-- As far as anybody wants to count.
SELECT count(*)
FROM (
    SELECT
    FROM device_log
    WHERE device_id = $1
      AND timestamp >= $2
      AND timestamp <= $3
      AND ($4::text IS NULL OR kind = $4)
      AND ($5::text IS NULL OR id = $5)
    LIMIT $6
) AS counted;

-- get_total
SELECT rows FROM device_log_counts WHERE device_id = $1;

-- list_chunks
SELECT range_start, range_end
FROM timescaledb_information.chunks
WHERE hypertable_schema = 'public'
  AND hypertable_name = 'device_log'
ORDER BY range_start DESC
LIMIT $1;

-- delete_part
-- What a device has in one chunk, and nothing outside of it is looked at.
DELETE FROM device_log
WHERE device_id = $1
  AND timestamp >= $2
  AND timestamp < $3;

-- subtract_rows
UPDATE device_log_counts
SET rows = greatest(rows - $2, 0)
WHERE device_id = $1;

-- allow_time
SELECT set_config('statement_timeout', $1, true);
