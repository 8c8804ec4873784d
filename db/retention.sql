-- drop_chunks
-- Whole chunks only: a chunk goes when its newest row may be no younger than the time given.
SELECT drop_chunks($1::text::regclass, older_than => $2::timestamptz);

-- limit_waiting
-- A drop needs a chunk for itself; rather than let readers queue up behind it, try again next time.
SET LOCAL lock_timeout = '5s';

-- delete_late_events
DELETE FROM late_events
WHERE ctid = ANY(ARRAY(SELECT ctid FROM late_events WHERE listed_at < $1 LIMIT $2));

-- delete_dead_letters
DELETE FROM dead_letters
WHERE ctid = ANY(ARRAY(SELECT ctid FROM dead_letters WHERE listed_at < $1 LIMIT $2));

-- delete_moment_changes
DELETE FROM moment_changes
WHERE ctid = ANY(ARRAY(SELECT ctid FROM moment_changes WHERE at < $1 LIMIT $2));

-- delete_deliveries
-- With their attempts.
DELETE FROM deliveries
WHERE ctid = ANY(ARRAY(SELECT ctid FROM deliveries WHERE done_at < $1 LIMIT $2));

-- delete_alert_watches
-- What was told to its end; a moment so old is no news any more.
DELETE FROM alert_watches
WHERE ctid = ANY(ARRAY(
    SELECT ctid
    FROM alert_watches
    WHERE phase = 'closed'
      AND updated_at < $1
    LIMIT $2
));

-- delete_alert_groups
-- Nothing waits in them, and no cool-down is as long.
DELETE FROM alert_groups
WHERE ctid = ANY(ARRAY(
    SELECT ctid
    FROM alert_groups
    WHERE due_at IS NULL
      AND updated_at < $1
    LIMIT $2
));

-- get_license
SELECT current_setting('timescaledb.license', true);

-- enable_viewer_timeseries
ALTER TABLE viewer_timeseries SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'stream_id',
    timescaledb.orderby = 'timestamp DESC'
);

-- enable_readings
ALTER TABLE readings SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'stream_id, channel',
    timescaledb.orderby = 'timestamp DESC'
);

-- enable_transactions
ALTER TABLE transactions SET (
    timescaledb.enable_columnstore,
    timescaledb.segmentby = 'stream_id',
    timescaledb.orderby = 'timestamp DESC'
);

-- add_columnstore_policy
CALL add_columnstore_policy($1::text::regclass, after => $2::interval, if_not_exists => true);

-- remove_retention_policy
SELECT remove_retention_policy($1::text::regclass, if_exists => true);

-- add_retention_policy
SELECT add_retention_policy(
    $1::text::regclass, drop_after => $2::interval, if_not_exists => true
);
