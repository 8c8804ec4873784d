-- list_waiting
-- Entries that were not put on the bus again yet, oldest first; $1 narrows by a part of the reason.
SELECT shard, batch_offset, reason, payload
FROM dead_letters
WHERE replayed_at IS NULL
  AND ($1::text IS NULL OR position(lower($1) IN lower(reason)) > 0)
  AND (batch_offset, shard) > ($2, $3)
ORDER BY batch_offset, shard
LIMIT $4;

-- count_waiting
SELECT count(*)
FROM dead_letters
WHERE replayed_at IS NULL
  AND ($1::text IS NULL OR position(lower($1) IN lower(reason)) > 0);

-- mark_replayed
UPDATE dead_letters
SET replayed_at = now()
WHERE shard = $1
  AND batch_offset = $2
  AND replayed_at IS NULL;
