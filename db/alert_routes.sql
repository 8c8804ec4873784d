-- lock_changes
-- Changes of routes and rules are rare and go one after the other: what a rule names is there. Who
-- decides holds the same lock for some milliseconds, so that one decides at a time.
SELECT pg_advisory_xact_lock($1);

-- count_routes
SELECT count(*)
FROM alert_routes;

-- has_name
SELECT EXISTS (SELECT FROM alert_routes WHERE name = $1 AND route_id <> $2);

-- insert_route
INSERT INTO alert_routes (
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s, created_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
RETURNING
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s, created_at, created_by, updated_at;

-- update_route
UPDATE alert_routes
SET name = $2,
    kind = $3,
    enabled = $4,
    target = $5,
    secret = $6,
    rate_per_minute = $7,
    quiet = $8,
    critical_passes = $9,
    timeout_s = $10,
    updated_at = now()
WHERE route_id = $1
RETURNING
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s, created_at, created_by, updated_at;

-- delete_route
DELETE FROM alert_routes
WHERE route_id = $1;

-- end_deliveries
-- What was to be sent over a route that is gone.
UPDATE deliveries
SET state = 'failed',
    done_at = now(),
    reason = 'The route was deleted.'
WHERE route_id = $1
  AND state IN ('queued', 'sending');

-- get_route
SELECT
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s, created_at, created_by, updated_at
FROM alert_routes
WHERE route_id = $1;

-- list_routes
-- By name.
SELECT
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s, created_at, created_by, updated_at
FROM alert_routes
WHERE $1::text IS NULL OR name > $1
ORDER BY name
LIMIT $2;
