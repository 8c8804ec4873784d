-- note_changes
-- In the transaction that writes the moments; whoever listens hears of it when that is committed.
WITH noted AS (
    INSERT INTO moment_changes (moment_id, timestamp)
    SELECT moment_id, timestamp
    FROM unnest($1::text[], $2::timestamptz[]) AS changed(moment_id, timestamp)
    RETURNING id
)
SELECT pg_notify('moment_changes', '')
FROM (SELECT count(*) FROM noted) AS counted;

-- list_changes
-- The oldest first. Who decides about them deletes them in the same transaction.
SELECT id, moment_id, timestamp, at
FROM moment_changes
ORDER BY id
LIMIT $1
FOR UPDATE SKIP LOCKED;

-- delete_changes
DELETE FROM moment_changes
WHERE id = ANY($1);

-- measure_changes
-- How many wait, as far as is counted, and since when.
SELECT count(*) AS waiting, min(at) AS oldest_at
FROM (SELECT at FROM moment_changes ORDER BY id LIMIT $1) AS first;
