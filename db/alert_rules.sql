-- count_rules
SELECT count(*)
FROM alert_rules;

-- has_name
SELECT EXISTS (SELECT FROM alert_rules WHERE name = $1 AND rule_id <> $2);

-- find_missing
-- Which of some routes are not there.
SELECT route_id
FROM unnest($1::text[]) AS named(route_id)
WHERE NOT EXISTS (SELECT FROM alert_routes WHERE alert_routes.route_id = named.route_id)
LIMIT 1;

-- list_users
-- The names of rules that name a route.
SELECT name
FROM alert_rules
WHERE $1 = ANY(routes)
ORDER BY name
LIMIT $2;

-- insert_rule
INSERT INTO alert_rules (
    rule_id, name, enabled, stream, kind, tags, types, min_score, min_duration_s, schedule,
    severity, group_by, group_wait_s, cool_down_s, routes, tell_ends, created_by
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
RETURNING
    rule_id, name, enabled, stream, kind, tags, types, min_score, min_duration_s, schedule,
    severity, group_by, group_wait_s, cool_down_s, routes, tell_ends, created_at, created_by,
    updated_at;

-- update_rule
UPDATE alert_rules
SET name = $2,
    enabled = $3,
    stream = $4,
    kind = $5,
    tags = $6,
    types = $7,
    min_score = $8,
    min_duration_s = $9,
    schedule = $10,
    severity = $11,
    group_by = $12,
    group_wait_s = $13,
    cool_down_s = $14,
    routes = $15,
    tell_ends = $16,
    updated_at = now()
WHERE rule_id = $1
RETURNING
    rule_id, name, enabled, stream, kind, tags, types, min_score, min_duration_s, schedule,
    severity, group_by, group_wait_s, cool_down_s, routes, tell_ends, created_at, created_by,
    updated_at;

-- delete_rule
-- Its watches and groups go with it.
DELETE FROM alert_rules
WHERE rule_id = $1;

-- get_rule
SELECT
    rule_id, name, enabled, stream, kind, tags, types, min_score, min_duration_s, schedule,
    severity, group_by, group_wait_s, cool_down_s, routes, tell_ends, created_at, created_by,
    updated_at
FROM alert_rules
WHERE rule_id = $1;

-- list_rules
-- By name.
SELECT
    rule_id, name, enabled, stream, kind, tags, types, min_score, min_duration_s, schedule,
    severity, group_by, group_wait_s, cool_down_s, routes, tell_ends, created_at, created_by,
    updated_at
FROM alert_rules
WHERE $1::text IS NULL OR name > $1
ORDER BY name
LIMIT $2;

-- wake_groups
-- A rule that changed may have something to tell sooner: its groups are looked at again.
UPDATE alert_groups
SET due_at = $2
WHERE rule_id = $1
  AND due_at > $2;
