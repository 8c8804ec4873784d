-- nothing_arrives
-- Seconds since any stream was heard; nothing before there was a stream.
SELECT extract(epoch FROM now() - max(last_event_at))::double precision AS seconds
FROM streams
HAVING max(last_event_at) IS NOT NULL;

-- channels_silent
-- Channels of each device that had values in the hour before the last ten minutes and none since.
SELECT stream_id AS stream, count(*)::double precision AS silent
FROM (
    SELECT stream_id, channel, max(last_at) AS last_at
    FROM reading_summary_minute
    WHERE window_start > now() - interval '70 minutes'
    GROUP BY stream_id, channel
) AS channels
WHERE last_at < now() - interval '10 minutes'
GROUP BY stream_id
ORDER BY silent DESC
LIMIT 100;

-- moments_unhandled
-- Critical moments that go on and that nobody has acknowledged for a quarter of an hour, by stream.
SELECT stream_id AS stream, count(*)::double precision AS moments
FROM moments
WHERE score >= 4
  AND ended_at IS NULL
  AND started_at < now() - interval '15 minutes'
  AND timestamp > now() - interval '7 days'
  AND moment_state(state, former_state, shelved_until, ended_at, now()) = 'open'
GROUP BY stream_id
ORDER BY moments DESC
LIMIT 100;

-- dead_letters_wait
-- Entries of a week that could not be read and that nobody has replayed.
SELECT count(*)::double precision AS waiting
FROM dead_letters
WHERE replayed_at IS NULL
  AND arrived_at > now() - interval '7 days';

-- events_late
-- Events of an hour that came too late to change their minute, and were not counted since.
SELECT coalesce(sum(events), 0)::double precision AS events
FROM late_events
WHERE listed_at > now() - interval '1 hour'
  AND applied_at IS NULL;
