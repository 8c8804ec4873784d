-- database_size
-- Bytes of the whole database.
SELECT pg_database_size(current_database()) AS size;

-- database_sessions
-- Connections that the server has, and how much of what it reads it finds in memory.
SELECT
    numbackends AS sessions,
    blks_hit::double precision / nullif(blks_hit + blks_read, 0) AS hits,
    deadlocks
FROM pg_stat_database
WHERE datname = current_database();

-- tables
-- Tables that panels read, by size.
SELECT
    hypertable_name AS "table", num_chunks AS chunks,
    hypertable_size(format('%I.%I', hypertable_schema, hypertable_name)::regclass) AS size,
    approximate_row_count(format('%I.%I', hypertable_schema, hypertable_name)::regclass) AS "rows"
FROM timescaledb_information.hypertables
WHERE hypertable_schema = 'public'
ORDER BY size DESC NULLS LAST
LIMIT 50;

-- dead_letters
-- Entries that could not be read and that nobody has replayed, by reason.
SELECT reason, count(*) AS waiting, max(arrived_at) AS newest
FROM dead_letters
WHERE replayed_at IS NULL
GROUP BY reason
ORDER BY waiting DESC
LIMIT 50;

-- late_events
-- Events that came too late to change their minute and were not counted since, by stream.
SELECT stream_id AS stream, type, sum(events) AS events, max(listed_at) AS newest
FROM late_events
WHERE $__timeFilter(listed_at)
  AND applied_at IS NULL
GROUP BY stream_id, type
ORDER BY events DESC
LIMIT 50;

-- deliveries
-- Alerts that were decided in this time, by what became of them.
SELECT
    $__timeGroupAlias(created_at, $__interval), state AS metric, count(*) AS deliveries
FROM deliveries
WHERE $__timeFilter(created_at)
GROUP BY 1, state
ORDER BY 1;
