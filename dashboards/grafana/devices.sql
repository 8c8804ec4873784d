-- devices
-- Streams with readings within a week, those heard last first.
SELECT coalesce(title || ' · ' || stream_id, stream_id) AS __text, stream_id AS __value
FROM streams
WHERE EXISTS (
    SELECT FROM reading_summary_minute AS heard
    WHERE heard.stream_id = streams.stream_id
      AND heard.window_start > now() - interval '7 days'
)
ORDER BY last_event_at DESC NULLS LAST
LIMIT 1000;

-- count_heard
-- Channels of the device that were heard lately, and those that were within a day and are not now.
SELECT
    count(*) FILTER (WHERE age <= ${silence} * 60) AS heard,
    count(*) FILTER (WHERE age > ${silence} * 60) AS silent,
    max(age) AS oldest
FROM (
    SELECT channel, extract(epoch FROM now() - max(last_at)) AS age
    FROM reading_summary_minute
    WHERE stream_id = ${stream:sqlstring}
      AND window_start > now() - interval '1 day'
    GROUP BY channel
) AS channels;

-- unusual
-- Moments of the device in this time.
SELECT count(*) AS moments
FROM moments
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(timestamp);

-- latest
-- Each channel: its newest value and how old it is, and what it did in this time.
SELECT
    channel, last(unit, last_at) FILTER (WHERE unit IS NOT NULL) AS unit,
    last(last, last_at) AS "last", extract(epoch FROM now() - max(last_at)) AS age,
    min(min) AS min, sum(mean * count) / sum(count) AS mean, max(max) AS max, sum(count) AS "values"
FROM reading_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND ('' IN (${channel:sqlstring}) OR channel IN (${channel:sqlstring}))
GROUP BY channel
ORDER BY channel
LIMIT 200;

-- pace
-- Values of each channel in a second.
SELECT
    $__timeGroupAlias(window_start, '${width}', NULL), channel AS metric,
    count / extract(epoch FROM interval '${width}') AS pace
FROM reading_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND window_end <= now()
  AND ('' IN (${channel:sqlstring}) OR channel IN (${channel:sqlstring}))
ORDER BY 1;

-- z_scores
-- How far minutes are from what was usual, as the detector judged them.
SELECT $__timeGroupAlias(window_start, '1m', NULL), channel AS metric, z_score
FROM reading_summary_minute
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND '${width}' = '1m'
  AND window_end <= now()
  AND ('' IN (${channel:sqlstring}) OR channel IN (${channel:sqlstring}))
ORDER BY 1;

-- silent
-- Channels of all devices that were heard within a day and are not now, the oldest first.
SELECT
    stream_id AS stream, channel, last(unit, last_at) AS unit, last(last, last_at) AS "last",
    max(last_at) AS "heard at", extract(epoch FROM now() - max(last_at)) AS age
FROM reading_summary_minute
WHERE window_start > now() - interval '1 day'
GROUP BY stream_id, channel
HAVING max(last_at) < now() - interval '${silence} minutes'
ORDER BY age DESC
LIMIT 200;

-- fleet
-- Devices: how many channels each has, and how many of them are silent.
WITH channels AS (
    SELECT stream_id, channel, max(last_at) AS last_at, sum(count) AS counted
    FROM reading_summary_minute
    WHERE window_start > now() - interval '1 day'
    GROUP BY stream_id, channel
)
SELECT
    stream_id AS stream, title, count(*) AS channels,
    count(*) FILTER (WHERE channels.last_at < now() - interval '${silence} minutes') AS silent,
    extract(epoch FROM now() - max(channels.last_at)) AS "heard ago", sum(counted) AS "values"
FROM channels
JOIN streams USING (stream_id)
GROUP BY stream_id, title
ORDER BY silent DESC, "heard ago" DESC
LIMIT 200;
