-- lock_queue
-- Who adds jobs to a queue does so one after the other, so that its limit is exact.
SELECT pg_advisory_xact_lock($1, hashtext($2));

-- count_waiting
-- Jobs of a queue that nobody has begun, counted up to a limit.
SELECT count(*)
FROM (
    SELECT 1
    FROM procrastinate_jobs
    WHERE queue_name = $1
      AND status = 'todo'
    LIMIT $2
) AS waiting;

-- defer_job
SELECT (procrastinate_defer_jobs_v1(ARRAY[
    ROW($1, $2, 0, $3, $3, $4, NULL)::procrastinate_job_to_defer_v1
]))[1];

-- cancel_job
-- A job that waits is taken away; one that runs is asked to end.
SELECT procrastinate_cancel_job_v1($1, true, false);

-- retry_stalled
-- Jobs of workers that fell silent, or are gone, wait again; what somebody else holds is left.
WITH stalled AS (
    SELECT job.id
    FROM procrastinate_jobs AS job
    LEFT JOIN procrastinate_workers AS worker ON worker.id = job.worker_id
    WHERE job.status = 'doing'
      AND (worker.id IS NULL OR worker.last_heartbeat < now() - $1::interval)
    ORDER BY job.id
    LIMIT $2
    FOR UPDATE OF job SKIP LOCKED
)
SELECT id, procrastinate_retry_job_v2(id, now(), NULL, NULL, NULL)
FROM stalled
LIMIT $2;

-- delete_ended
-- Jobs that ended before a time, with their history.
DELETE FROM procrastinate_jobs
WHERE id IN (
    SELECT job.id
    FROM procrastinate_jobs AS job
    WHERE job.status IN ('succeeded', 'failed', 'cancelled', 'aborted')
      AND NOT EXISTS (
          SELECT 1
          FROM procrastinate_events AS event
          WHERE event.job_id = job.id
            AND event.at >= $1
      )
    ORDER BY job.id
    LIMIT $2
);

-- measure_queues
-- How many jobs wait in each queue, and since when the oldest could have begun.
SELECT waiting.queue_name, count(*) AS count, min(waiting.due_at) AS oldest_at
FROM (
    SELECT job.queue_name, coalesce(job.scheduled_at, event.at) AS due_at
    FROM procrastinate_jobs AS job
    LEFT JOIN LATERAL (
        SELECT max(at) AS at
        FROM procrastinate_events
        WHERE job_id = job.id
    ) AS event ON true
    WHERE job.status = 'todo'
    ORDER BY job.id
    LIMIT $1
) AS waiting
GROUP BY waiting.queue_name
ORDER BY waiting.queue_name
LIMIT $1;

-- measure_work
-- Who works, and how many jobs run, wait for another try, or were given up: there is no index of
-- these, so they are looked for among the newest jobs.
SELECT
    (SELECT count(*) FROM (SELECT 1 FROM procrastinate_workers LIMIT $1) AS counted) AS workers,
    (SELECT max(last_heartbeat) FROM procrastinate_workers) AS heard_at,
    (
        SELECT count(*)
        FROM (
            SELECT 1 FROM procrastinate_jobs WHERE status = 'doing' ORDER BY id LIMIT $1
        ) AS counted
    ) AS running,
    (
        SELECT count(*)
        FROM (
            SELECT attempts FROM procrastinate_jobs WHERE status = 'todo' ORDER BY id LIMIT $1
        ) AS waiting
        WHERE attempts > 0
    ) AS retrying,
    (
        SELECT count(*)
        FROM (SELECT status FROM procrastinate_jobs ORDER BY id DESC LIMIT $2) AS newest
        WHERE status = 'failed'
    ) AS failed;

-- list_workers
-- When each process of ours that works off jobs was last heard of.
SELECT id, last_heartbeat
FROM procrastinate_workers
ORDER BY last_heartbeat DESC
LIMIT $1;
