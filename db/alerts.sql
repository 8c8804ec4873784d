-- list_due_groups
-- Groups in which something may be told now.
SELECT rule_id, group_key
FROM alert_groups
WHERE due_at <= $1
ORDER BY due_at
LIMIT $2;

-- find_next_due
SELECT min(due_at)
FROM alert_groups;

-- measure_alerts
-- Who decides and sends, when they last asked the database anything, and what waits for them, as far
-- as is counted.
SELECT
    (
        SELECT count(*)
        FROM pg_stat_activity
        WHERE datname = current_database()
          AND application_name = $1
    ) AS connections,
    (
        SELECT extract(epoch FROM clock_timestamp() - max(state_change))::double precision
        FROM pg_stat_activity
        WHERE datname = current_database()
          AND application_name = $1
    ) AS idle_s,
    (
        SELECT count(*)
        FROM (SELECT FROM moment_changes LIMIT $2) AS first
    ) AS changes,
    (
        SELECT extract(epoch FROM clock_timestamp() - at)::double precision
        FROM moment_changes
        ORDER BY id
        LIMIT 1
    ) AS changes_oldest_s,
    (
        SELECT count(*)
        FROM (
            SELECT
            FROM deliveries
            WHERE state IN ('queued', 'sending')
            LIMIT $2
        ) AS first
    ) AS deliveries,
    (
        SELECT extract(epoch FROM clock_timestamp() - min(created_at))::double precision
        FROM deliveries
        WHERE state = 'queued'
    ) AS deliveries_oldest_s;

-- list_past
-- Moments since a time, newest first, with what rules ask about them and their streams.
SELECT
    moment_id, moments.stream_id, timestamp, started_at, ended_at, moment_type, score, state,
    moments.metadata, former_state, shelved_until, label, version,
    streams.kind AS stream_kind, streams.metadata -> 'tags' AS stream_tags
FROM moments
LEFT JOIN streams ON streams.stream_id = moments.stream_id
WHERE timestamp >= $1
ORDER BY timestamp DESC, moment_id
LIMIT $2;

-- list_subjects
-- Moments as they are now, with what rules ask about their streams.
SELECT
    moment_id, moments.stream_id, timestamp, started_at, peak_at, ended_at, moment_type,
    metric_name, metric_value, expected, threshold, z_score, score, direction, state, description,
    reasons, moments.metadata, former_state, shelved_until, label, version, revision,
    streams.kind AS stream_kind, streams.metadata -> 'tags' AS stream_tags
FROM moments
LEFT JOIN streams ON streams.stream_id = moments.stream_id
WHERE moment_id = ANY($1)
  AND timestamp >= $2
  AND timestamp <= $3
LIMIT $4;

-- list_of_streams
-- Moments of some types in some streams, since a time; newest first.
SELECT
    moment_id, moments.stream_id, timestamp, started_at, peak_at, ended_at, moment_type,
    metric_name, metric_value, expected, threshold, z_score, score, direction, state, description,
    reasons, moments.metadata, former_state, shelved_until, label, version, revision,
    streams.kind AS stream_kind, streams.metadata -> 'tags' AS stream_tags
FROM moments
LEFT JOIN streams ON streams.stream_id = moments.stream_id
WHERE moments.stream_id = ANY($1)
  AND timestamp >= $2
  AND moment_type = ANY($3)
ORDER BY timestamp DESC, moment_id
LIMIT $4;

-- list_watches
-- Every rule's watch of some moments.
SELECT rule_id, moment_id, timestamp, group_key, phase, ready_at, routes
FROM alert_watches
WHERE moment_id = ANY($1)
LIMIT $2;

-- list_waiting
-- What waits in some groups, the first of each.
SELECT
    asked.rule_id, waiting.moment_id, waiting.timestamp, asked.group_key, waiting.phase,
    waiting.ready_at, waiting.routes
FROM unnest($1::text[], $2::text[]) AS asked(rule_id, group_key),
    LATERAL (
        SELECT moment_id, timestamp, phase, ready_at, routes
        FROM alert_watches
        WHERE alert_watches.rule_id = asked.rule_id
          AND alert_watches.group_key = asked.group_key
          AND phase IN ('held', 'passed', 'over')
        ORDER BY ready_at, moment_id
        LIMIT $3
    ) AS waiting
LIMIT $4;

-- list_groups
SELECT rule_id, group_key, told_at, due_at
FROM alert_groups
JOIN unnest($1::text[], $2::text[]) AS asked(rule_id, group_key) USING (rule_id, group_key)
LIMIT $3;

-- upsert_watches
INSERT INTO alert_watches (
    rule_id, moment_id, timestamp, group_key, phase, ready_at, routes, updated_at
)
SELECT
    rule_id, moment_id, timestamp, group_key, phase, ready_at,
    ARRAY(SELECT json_array_elements_text(routes)), $2
FROM json_to_recordset($1::json) AS r(
    rule_id text, moment_id text, timestamp timestamptz, group_key text, phase text,
    ready_at timestamptz, routes json
)
ON CONFLICT (moment_id, rule_id) DO UPDATE
SET group_key = excluded.group_key,
    phase = excluded.phase,
    ready_at = excluded.ready_at,
    routes = excluded.routes,
    updated_at = excluded.updated_at;

-- delete_watches
DELETE FROM alert_watches
USING unnest($1::text[], $2::text[]) AS gone(rule_id, moment_id)
WHERE alert_watches.rule_id = gone.rule_id
  AND alert_watches.moment_id = gone.moment_id;

-- upsert_groups
INSERT INTO alert_groups (rule_id, group_key, told_at, due_at, updated_at)
SELECT rule_id, group_key, told_at, due_at, $5
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    AS settled(rule_id, group_key, told_at, due_at)
ON CONFLICT (rule_id, group_key) DO UPDATE
SET told_at = excluded.told_at,
    due_at = excluded.due_at,
    updated_at = excluded.updated_at;

-- insert_deliveries
-- One that is there already was decided before, and is not written twice.
INSERT INTO deliveries (
    delivery_id, rule_id, route_id, group_key, severity, content, moment_ids, created_at, next_at
)
SELECT
    delivery_id, rule_id, route_id, group_key, severity, content,
    ARRAY(SELECT json_array_elements_text(moment_ids)), $2, $2
FROM json_to_recordset($1::json) AS r(
    delivery_id text, rule_id text, route_id text, group_key text, severity text, content jsonb,
    moment_ids json
)
ON CONFLICT (delivery_id) DO NOTHING;

-- lease_beat
-- The Alertmanagers that were not told for a while what goes on; whoever gets one tells it.
UPDATE alert_routes
SET beat_at = $2
WHERE route_id IN (
    SELECT route_id
    FROM alert_routes
    WHERE kind = 'alertmanager'
      AND enabled
      AND beat_at <= $1
    ORDER BY beat_at
    LIMIT $3
    FOR UPDATE SKIP LOCKED
)
RETURNING
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s;

-- list_told
-- What was told and goes on, newest first, and what was over since a time.
SELECT rule_id, moment_id, timestamp, group_key, phase, ready_at, routes
FROM alert_watches
WHERE (phase IN ('told', 'over') OR (phase = 'closed' AND updated_at >= $2))
  AND routes @> ARRAY[$1]
ORDER BY updated_at DESC
LIMIT $3;
