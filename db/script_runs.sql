-- lock_device
-- Of those who want to run something on a device one comes after the other, and nobody deletes it
-- meanwhile. What is in braces below is the columns that are shown.
SELECT device_id
FROM devices
WHERE device_id = $1
FOR NO KEY UPDATE;

-- share_device
-- Nobody deletes the device meanwhile: always before its run is locked, as a deletion does.
SELECT device_id
FROM devices
WHERE device_id = $1
FOR KEY SHARE;

-- insert_run
INSERT INTO script_runs (
    run_id, device_id, request_id, name, text, confirm_dangerous, asker, asker_id, asker_key_id,
    state, steps, steps_total, job_id, created_at, updated_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, 'queued', $10, $11, $12, $13, $13)
RETURNING {columns}, text, steps;

-- find_request
SELECT {columns}, text, steps
FROM script_runs
WHERE device_id = $1
  AND asker_id = $2
  AND request_id = $3
LIMIT 1;

-- find_open
-- The run of a device that has not ended.
SELECT {columns}
FROM script_runs
WHERE device_id = $1
  AND state IN ('queued', 'running')
LIMIT 1;

-- get_run
SELECT {columns}, text, steps
FROM script_runs
WHERE run_id = $1
  AND device_id = $2;

-- lock_run
SELECT {columns}, text, steps
FROM script_runs
WHERE run_id = $1
  AND device_id = $2
FOR UPDATE;

-- list_runs
-- Newest first, from after a time and an id on.
SELECT {columns}
FROM script_runs
WHERE device_id = $1
  AND ($2::text IS NULL OR state = $2)
  AND ($3::timestamptz IS NULL OR (created_at, run_id) < ($3, $4::text))
ORDER BY created_at DESC, run_id DESC
LIMIT $5;

-- list_changed
-- Runs that changed since a time, each as it is now.
SELECT {columns}
FROM script_runs
WHERE updated_at >= $1
ORDER BY updated_at
LIMIT $2;

-- list_watched
-- What whoever runs scripts has to know of them: whether it still is the one who does, whether
-- somebody wants an end, and what became of the command under way.
SELECT
    run.run_id, run.attempts, run.state, run.abort_asked_at, run.abort_asked_by, run.command_id,
    command.state AS command_state, command.message AS command_message
FROM script_runs AS run
LEFT JOIN commands AS command ON command.command_id = run.command_id
WHERE run.run_id = ANY($1::text[])
LIMIT $2;

-- claim_run
-- A run that is not over belongs to whoever asked for it last; each attempt has its number.
UPDATE script_runs
SET state = 'running',
    attempts = attempts + 1,
    revision = revision + 1,
    started_at = coalesce(started_at, $2),
    updated_at = $2
WHERE run_id = $1
  AND state IN ('queued', 'running')
RETURNING {columns}, text, steps;

-- note_progress
-- How far an attempt is; nothing when it is not the last one any more, or the run is over.
UPDATE script_runs
SET steps = $3,
    steps_done = $4,
    step_began_at = $5,
    command_id = $6,
    revision = revision + 1,
    updated_at = $7
WHERE run_id = $1
  AND attempts = $2
  AND state = 'running'
RETURNING {columns};

-- end_run
UPDATE script_runs
SET state = $3,
    steps = $4,
    steps_done = $5,
    message = $6,
    step_began_at = NULL,
    command_id = NULL,
    revision = revision + 1,
    ended_at = $7,
    updated_at = $7
WHERE run_id = $1
  AND attempts = $2
  AND state IN ('queued', 'running')
RETURNING {columns};

-- ask_abort
-- Said once; whoever says it again changes nothing.
UPDATE script_runs
SET abort_asked_at = $2,
    abort_asked_by = $3,
    revision = revision + 1,
    updated_at = $2
WHERE run_id = $1
  AND abort_asked_at IS NULL
RETURNING {columns};
