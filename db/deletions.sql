-- find_owned
-- Whether anything is left of a stream, in a table; {table} is one of ours.
SELECT EXISTS (SELECT FROM {table} WHERE stream_id = $1);

-- delete_rows
-- All that a table has of a stream at once.
DELETE FROM {table}
WHERE stream_id = $1;

-- delete_part
-- What a table has of a stream in one chunk, and nothing outside of it is looked at.
DELETE FROM {table}
WHERE stream_id = $1
  AND {time} >= $2
  AND {time} < $3;

-- list_chunks
-- The chunks of a table, newest first: the part that people still look at goes first.
SELECT range_start, range_end
FROM timescaledb_information.chunks
WHERE hypertable_schema = 'public'
  AND hypertable_name = $1
ORDER BY range_start DESC
LIMIT $2;

-- get_stream
SELECT stream_id, title, kind, created_at, last_event_at, metadata
FROM streams
WHERE stream_id = $1
LIMIT 1
FOR UPDATE;

-- allow_time
SELECT set_config('statement_timeout', $1, true);
