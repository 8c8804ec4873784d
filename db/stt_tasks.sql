-- lock_session
-- What is kept of a session's tasks is counted and changed by one at a time.
SELECT pg_advisory_xact_lock($1, hashtext($2));

-- measure_tasks
-- How many tasks a session has, and how many bytes of audio.
SELECT count(*) AS tasks, coalesce(sum(audio_bytes), 0)::bigint AS bytes
FROM stt_tasks
WHERE session_id = $1;

-- find_audio
-- The task of audio that was uploaded before.
SELECT
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author
FROM stt_tasks
WHERE session_id = $1
  AND audio_chunk_id = $2
  AND audio_format IS NOT NULL
LIMIT 1;

-- insert_task
INSERT INTO stt_tasks (
    task_id, session_id, audio_chunk_id, duration_seconds, audio_format, audio_bytes, language,
    grammar, started_at, speaker, makes_note, job_id, author
)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
RETURNING
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author;

-- get_task
SELECT
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author
FROM stt_tasks
WHERE session_id = $1
  AND task_id = $2;

-- lock_task
SELECT
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author
FROM stt_tasks
WHERE session_id = $1
  AND task_id = $2
FOR UPDATE;

-- list_tasks
-- Newest first, from after a time and an id on.
SELECT
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author
FROM stt_tasks
WHERE session_id = $1
  AND ($2::text IS NULL OR status = $2)
  AND ($3::timestamptz IS NULL OR (created_at, task_id) < ($3, $4::text))
ORDER BY created_at DESC, task_id DESC
LIMIT $5;

-- list_transcripts
-- What was said in a session, as time went on.
SELECT coalesce(started_at, created_at) AS timestamp, transcript
FROM stt_tasks
WHERE session_id = $1
  AND status = 'done'
  AND transcript <> ''
ORDER BY coalesce(started_at, created_at), task_id
LIMIT $2;

-- delete_task
DELETE FROM stt_tasks
WHERE session_id = $1
  AND task_id = $2;

-- claim_task
-- A task that is not over belongs to whoever asked for it last; each try has its number.
UPDATE stt_tasks
SET status = 'processing',
    attempts = attempts + 1,
    progress = 0,
    updated_at = clock_timestamp()
WHERE task_id = $1
  AND status IN ('pending', 'processing')
RETURNING
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author;

-- note_progress
-- How far a try is; nothing when it is not the last one any more.
UPDATE stt_tasks
SET progress = $3,
    updated_at = clock_timestamp()
WHERE task_id = $1
  AND attempts = $2
  AND status = 'processing'
RETURNING
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author;

-- end_task
-- An outcome, once: of the last try, or, without a number, of whoever says so.
UPDATE stt_tasks
SET status = $3,
    transcript = $4,
    words = $5,
    error = $6,
    note_id = $7,
    progress = CASE WHEN $3 = 'done' THEN 1 ELSE progress END,
    updated_at = clock_timestamp()
WHERE task_id = $1
  AND ($2::integer IS NULL OR attempts = $2)
  AND status IN ('pending', 'processing')
RETURNING
    task_id AS id, session_id, audio_chunk_id, duration_seconds, status, progress, transcript, words,
    error, language, grammar, started_at, speaker, makes_note AS make_note, note_id, audio_format,
    audio_bytes, job_id, attempts, created_at, updated_at, author;

-- list_existing
-- Which of some tasks are there with their audio.
SELECT task_id
FROM stt_tasks
WHERE task_id = ANY($1)
  AND audio_format IS NOT NULL
LIMIT $2;

-- list_expired
-- Tasks with audio that ended before a time, oldest first.
SELECT task_id, session_id, audio_format
FROM stt_tasks
WHERE audio_format IS NOT NULL
  AND status IN ('done', 'failed')
  AND updated_at < $1
ORDER BY updated_at
LIMIT $2;

-- forget_audio
-- The audio of ended tasks is gone; what was said stays.
UPDATE stt_tasks
SET audio_format = NULL,
    audio_bytes = NULL
WHERE task_id = ANY($1)
  AND status IN ('done', 'failed');
