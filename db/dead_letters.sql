-- list_letters
-- Newest first; each narrowing parameter may be null. The bytes are counted and not read.
SELECT shard, batch_offset, arrived_at, listed_at, reason, stream_ids,
    octet_length(payload) AS payload_bytes, replayed_at
FROM dead_letters
WHERE arrived_at >= $1
  AND arrived_at < $2
  AND ($3::text IS NULL OR position(lower($3) IN lower(reason)) > 0)
  AND ($4::text IS NULL OR $4 = ANY(stream_ids))
  AND ($5::boolean IS NULL OR (replayed_at IS NULL) = $5)
  AND (arrived_at, shard, batch_offset) < ($6, $7, $8)
ORDER BY arrived_at DESC, shard DESC, batch_offset DESC
LIMIT $9;

-- find_letter
-- One letter and the beginning of its bytes.
SELECT shard, batch_offset, arrived_at, listed_at, reason, stream_ids,
    octet_length(payload) AS payload_bytes, replayed_at,
    substring(payload FROM 1 FOR $3) AS payload
FROM dead_letters
WHERE shard = $1
  AND batch_offset = $2;

-- count_by_reason
-- The most frequent reasons first.
SELECT reason, count(*) AS letters, count(*) FILTER (WHERE replayed_at IS NULL) AS waiting,
    sum(octet_length(payload))::bigint AS payload_bytes, min(arrived_at) AS first_at,
    max(arrived_at) AS last_at
FROM dead_letters
WHERE arrived_at >= $1
  AND arrived_at < $2
GROUP BY reason
ORDER BY letters DESC, reason
LIMIT $3;

-- count_by_time
-- Of hours or days, oldest first, those in which a letter arrived.
SELECT date_trunc($3, arrived_at, 'UTC') AS start, count(*) AS letters,
    count(*) FILTER (WHERE replayed_at IS NULL) AS waiting
FROM dead_letters
WHERE arrived_at >= $1
  AND arrived_at < $2
GROUP BY 1
ORDER BY 1
LIMIT $4;

-- list_waiting
-- Entries that were not put on the bus again yet, oldest first; $1 narrows by a part of the reason.
SELECT shard, batch_offset, reason, payload
FROM dead_letters
WHERE replayed_at IS NULL
  AND ($1::text IS NULL OR position(lower($1) IN lower(reason)) > 0)
  AND ($2::text IS NULL OR $2 = ANY(stream_ids))
  AND (batch_offset, shard) > ($3, $4)
ORDER BY batch_offset, shard
LIMIT $5;

-- count_waiting
SELECT count(*)
FROM dead_letters
WHERE replayed_at IS NULL
  AND ($1::text IS NULL OR position(lower($1) IN lower(reason)) > 0)
  AND ($2::text IS NULL OR $2 = ANY(stream_ids));

-- lock_letter
-- One letter with all its bytes, which nobody else puts on the bus meanwhile.
SELECT shard, batch_offset, reason, payload, replayed_at
FROM dead_letters
WHERE shard = $1
  AND batch_offset = $2
FOR UPDATE;

-- mark_replayed
UPDATE dead_letters
SET replayed_at = now()
WHERE shard = $1
  AND batch_offset = $2
  AND replayed_at IS NULL
RETURNING replayed_at;
