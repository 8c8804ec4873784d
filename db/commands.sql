-- insert_command
-- Nothing is written for a request that was made before, and for a device with too many that have
-- not ended. What is in braces is the columns that are shown.
INSERT INTO commands (
    command_id, device_id, request_id, asker, asker_id, command, parameters, verifiers, priority,
    dangerous, held, confirm_token, confirm_expires_at, state, deadline_at, due_at,
    accepted_s, started_s, completed_s, created_at
)
SELECT
    $1, $2::text, $3, $4, $5, $6, $7::jsonb, $8::jsonb, $9::smallint, $10::boolean, $10, $11,
    $12::timestamptz, 'queued', $13::timestamptz, least($13, $12), $14::double precision,
    $15::double precision, $16::double precision, $17::timestamptz
WHERE (
    SELECT count(*)
    FROM commands
    WHERE device_id = $2
      AND state IN ('queued', 'sent', 'acknowledged', 'running')
) < $18
ON CONFLICT (device_id, asker_id, request_id) WHERE request_id IS NOT NULL DO NOTHING
RETURNING {columns};

-- find_request
SELECT {columns}
FROM commands
WHERE device_id = $1
  AND asker_id = $2
  AND request_id = $3
LIMIT 1;

-- claim_commands
-- What a device is given next, if its connection still is the newest one.
UPDATE commands
SET state = 'sent',
    sent_at = $3::timestamptz,
    sends = sends + 1,
    due_at = least(
        deadline_at, $3 + make_interval(secs => least(accepted_s, started_s, completed_s))
    )
WHERE command_id IN (
    SELECT command_id
    FROM commands
    WHERE device_id = $1
      AND state IN ('queued', 'sent', 'acknowledged', 'running')
      AND state = 'queued'
      AND NOT held
      AND due_at > $3
    ORDER BY priority DESC, created_at, command_id
    LIMIT $4
    FOR UPDATE SKIP LOCKED
)
  AND EXISTS (SELECT FROM devices WHERE device_id = $1 AND link_id = $2)
RETURNING {columns};

-- list_in_hand
-- What a device was given and has not ended.
SELECT {columns}
FROM commands
WHERE device_id = $1
  AND state IN ('queued', 'sent', 'acknowledged', 'running')
  AND state <> 'queued'
ORDER BY priority DESC, created_at, command_id
LIMIT $2;

-- note_resent
UPDATE commands
SET sends = sends + 1
WHERE command_id = ANY($1::text[])
  AND state IN ('sent', 'acknowledged', 'running');

-- lock_command
SELECT command_id
FROM commands
WHERE device_id = $1
  AND command_id = $2
LIMIT 1
FOR UPDATE;

-- move_command
-- To a state, from one of those that it may be reached from; nothing when it is in none of them.
UPDATE commands
SET state = $3::text,
    acknowledged_at = CASE WHEN $3 = 'acknowledged' THEN $5::timestamptz ELSE acknowledged_at END,
    running_at = CASE WHEN $3 = 'running' THEN $5::timestamptz ELSE running_at END,
    ended_at = CASE
        WHEN $3 IN ('succeeded', 'failed', 'timed_out', 'cancelled') THEN $5::timestamptz
    END,
    due_at = CASE $3
        WHEN 'acknowledged' THEN
            least(deadline_at, sent_at + make_interval(secs => least(started_s, completed_s)))
        WHEN 'running' THEN least(deadline_at, sent_at + make_interval(secs => completed_s))
        ELSE due_at
    END,
    message = coalesce($6, message),
    details = coalesce($7, details)
WHERE command_id = $1
  AND device_id = $2
  AND state = ANY($4::text[])
RETURNING {columns};

-- release_command
-- Confirmed: from now on it may be sent.
UPDATE commands
SET held = false,
    confirmed_at = $4,
    confirmed_by = $5,
    due_at = deadline_at
WHERE command_id = $1
  AND device_id = $2
  AND confirm_token = $3
  AND held
  AND state = 'queued'
  AND confirm_expires_at > $4
RETURNING {columns};

-- give_up_due
-- What took too long, and what nobody confirmed.
UPDATE commands
SET state = CASE WHEN held THEN 'cancelled' ELSE 'timed_out' END,
    ended_at = $1,
    message = CASE
        WHEN held THEN 'Nobody confirmed it in time.'
        WHEN state = 'queued' THEN 'The device did not take it before its deadline.'
        WHEN due_at >= deadline_at THEN 'Its deadline passed before it was done.'
        WHEN state = 'sent' AND accepted_s IS NOT NULL THEN
            'That the device accepted it was not verified in time.'
        WHEN state IN ('sent', 'acknowledged') AND started_s IS NOT NULL THEN
            'That it started was not verified in time.'
        ELSE 'That it is done was not verified in time.'
    END
WHERE command_id IN (
    SELECT command_id
    FROM commands
    WHERE state IN ('queued', 'sent', 'acknowledged', 'running')
      AND due_at <= $1
    ORDER BY due_at
    LIMIT $2
    FOR UPDATE SKIP LOCKED
)
RETURNING {columns};

-- insert_event
INSERT INTO command_events (command_id, at, stage, source, verdict, actor, message, details)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING id;

-- get_command
SELECT {columns}
FROM commands
WHERE device_id = $1
  AND command_id = $2;

-- list_commands
-- Newest first, from after a place on.
SELECT {columns}
FROM commands
WHERE device_id = $1
  AND ($2::text IS NULL OR state = $2)
  AND ($3::text IS NULL OR command = $3)
  AND ($4::text IS NULL OR asker = $4)
  AND ($5::timestamptz IS NULL OR created_at >= $5)
  AND ($6::timestamptz IS NULL OR created_at <= $6)
  AND ($7::text IS NULL OR (created_at, command_id) < ($6, $7))
ORDER BY created_at DESC, command_id DESC
LIMIT $8;

-- list_events
SELECT id, at, stage, source, verdict, actor, message, details
FROM command_events
WHERE command_id = $1
ORDER BY id
LIMIT $2;

-- list_moved
-- Commands that moved since a time, each as it is now, with the number of its last event.
SELECT {columns}, newest.id AS event_id
FROM (
    SELECT command_id AS moved_id, max(id) AS id
    FROM command_events
    WHERE at >= $1
      AND verdict = 'moved'
    GROUP BY command_id
    ORDER BY max(id) DESC
    LIMIT $2
) AS newest
JOIN commands ON command_id = moved_id
ORDER BY newest.id
LIMIT $2;
