-- list_waiting_routes
-- Routes over which something may be sent now; they are held, so that two workers do not send more
-- than a route takes in a minute.
SELECT
    route_id, name, kind, enabled, target, secret, rate_per_minute, quiet, critical_passes,
    timeout_s
FROM alert_routes
WHERE enabled
  AND EXISTS (
      SELECT
      FROM deliveries
      WHERE deliveries.route_id = alert_routes.route_id
        AND state IN ('queued', 'sending')
        AND next_at <= $1
  )
ORDER BY route_id
LIMIT $2
FOR NO KEY UPDATE SKIP LOCKED;

-- count_attempts
-- Of a route since a time.
SELECT count(*)
FROM delivery_attempts
WHERE route_id = $1
  AND started_at > $2;

-- lease_deliveries
-- The oldest that may be sent; of one group, each after the one before it. What a worker that died
-- had at hand is among them when its lease is over.
UPDATE deliveries
SET state = 'sending',
    next_at = $5,
    attempts = attempts + 1,
    tries = tries + 1,
    first_attempt_at = coalesce(first_attempt_at, $2)
WHERE delivery_id IN (
    SELECT delivery_id
    FROM deliveries AS waiting
    WHERE route_id = $1
      AND state IN ('queued', 'sending')
      AND next_at <= $2
      AND (severity = ANY($3::text[]) OR is_test)
      AND NOT EXISTS (
          SELECT
          FROM deliveries AS earlier
          WHERE earlier.route_id = waiting.route_id
            AND earlier.rule_id = waiting.rule_id
            AND earlier.group_key = waiting.group_key
            AND earlier.state IN ('queued', 'sending')
            AND earlier.seq < waiting.seq
      )
    ORDER BY seq
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
RETURNING delivery_id, content, is_test, attempts, tries, first_attempt_at;

-- insert_attempts
INSERT INTO delivery_attempts (delivery_id, number, route_id, started_at)
SELECT delivery_id, number, $3, $4
FROM unnest($1::text[], $2::integer[]) AS begun(delivery_id, number)
ON CONFLICT DO NOTHING;

-- end_attempt
UPDATE delivery_attempts
SET ended_at = $3,
    outcome = $4,
    status = $5,
    detail = $6
WHERE delivery_id = $1
  AND number = $2;

-- end_sending
-- Who was so late that it is not theirs any more says nothing but that it arrived.
UPDATE deliveries
SET state = $3,
    next_at = $4,
    done_at = $5,
    reason = $6
WHERE delivery_id = $1
  AND ((state = 'sending' AND attempts = $2) OR $3 = 'delivered');

-- insert_test
INSERT INTO deliveries (
    delivery_id, route_id, group_key, severity, is_test, content, moment_ids, created_at, next_at
)
VALUES ($1, $2, '{}', 'info', true, $3, '{}', $4, $4);

-- retry_delivery
UPDATE deliveries
SET state = 'queued',
    next_at = $2,
    tries = 0,
    first_attempt_at = NULL,
    done_at = NULL,
    reason = NULL
WHERE delivery_id = $1
  AND state = 'failed'
  AND EXISTS (SELECT FROM alert_routes WHERE alert_routes.route_id = deliveries.route_id)
RETURNING delivery_id;

-- notify
SELECT pg_notify('deliveries', '');

-- get_delivery
SELECT
    delivery_id, rule_id, route_id, group_key, severity, is_test, state, content, moment_ids,
    created_at, next_at, attempts, done_at, reason
FROM deliveries
WHERE delivery_id = $1;

-- list_attempts
SELECT number, started_at, ended_at, outcome, status, detail
FROM delivery_attempts
WHERE delivery_id = $1
ORDER BY number DESC
LIMIT $2;

-- list_deliveries
-- Newest first, from after a place on.
SELECT
    delivery_id, rule_id, route_id, group_key, severity, is_test, state, moment_ids, created_at,
    next_at, attempts, done_at, reason
FROM deliveries
WHERE ($1::text IS NULL OR state = $1)
  AND ($2::text IS NULL OR route_id = $2)
  AND ($3::text IS NULL OR rule_id = $3)
  AND ($4::text[] IS NULL OR moment_ids @> $4)
  AND ($5::timestamptz IS NULL OR created_at <= $5)
  AND ($5::timestamptz IS NULL OR created_at < $5 OR delivery_id > $6)
ORDER BY created_at DESC, delivery_id
LIMIT $7;

-- count_recent
-- What became of deliveries since a time, by rule and route, and how many of them are from after
-- another time.
SELECT
    rule_id, route_id, state, count(*) AS deliveries,
    count(*) FILTER (WHERE created_at >= $2) AS newer
FROM deliveries
WHERE created_at >= $1
GROUP BY rule_id, route_id, state
ORDER BY rule_id, route_id, state
LIMIT $3;

-- measure_routes
-- What waits, by route, and since when.
SELECT route_id, count(*) AS waiting, min(created_at) AS oldest_at
FROM deliveries
WHERE state IN ('queued', 'sending')
GROUP BY route_id
LIMIT $1;
