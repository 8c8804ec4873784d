-- kinds
-- Kinds of streams that there are.
SELECT DISTINCT kind
FROM streams
ORDER BY kind
LIMIT 100;

-- count_live
-- Streams that were heard within a minute: what the live page calls live.
SELECT count(*) AS "live"
FROM streams
WHERE last_event_at > now() - interval '1 minute'
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}));

-- count_moments
-- Moments that go on.
SELECT count(*) AS "going on"
FROM moments
JOIN streams USING (stream_id)
WHERE ended_at IS NULL
  AND timestamp > now() - interval '30 days'
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}));

-- chat_rate
-- Messages of all streams in a second, over windows that are complete.
SELECT
    $__timeGroupAlias(window_start, '${width}', NULL),
    sum(chat_count) / extract(epoch FROM interval '${width}') AS "all streams"
FROM chat_summary_${width:text}
JOIN streams USING (stream_id)
WHERE $__timeFilter(window_start)
  AND window_end <= now()
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}))
GROUP BY 1
ORDER BY 1;

-- viewers
-- Viewers of all streams: each one's average, added up.
SELECT
    $__timeGroupAlias(window_start, '${width}', NULL),
    sum(avg_viewers) AS "all streams"
FROM chat_summary_${width:text}
JOIN streams USING (stream_id)
WHERE $__timeFilter(window_start)
  AND window_end <= now()
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}))
GROUP BY 1
ORDER BY 1;

-- busiest
-- The ten streams with most messages.
WITH busiest AS (
    SELECT stream_id
    FROM chat_summary_${width:text}
    JOIN streams USING (stream_id)
    WHERE $__timeFilter(window_start)
      AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}))
    GROUP BY stream_id
    ORDER BY sum(chat_count) DESC
    LIMIT 10
)
SELECT $__timeGroupAlias(window_start, '${width}', NULL), stream_id AS metric, chat_rate
FROM chat_summary_${width:text}
JOIN busiest USING (stream_id)
WHERE $__timeFilter(window_start)
  AND window_end <= now()
ORDER BY 1;

-- readings
-- Values of all channels in a second.
SELECT
    $__timeGroupAlias(window_start, '${width}', NULL),
    sum(count) / extract(epoch FROM interval '${width}') AS "all channels"
FROM reading_summary_${width:text}
JOIN streams USING (stream_id)
WHERE $__timeFilter(window_start)
  AND window_end <= now()
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}))
GROUP BY 1
ORDER BY 1;

-- moments_by_severity
-- Moments by when they began.
SELECT
    $__timeGroupAlias(timestamp, $__interval),
    CASE
        WHEN score >= 4 THEN 'critical' WHEN score >= 2.5 THEN 'high'
        WHEN score >= 1.5 THEN 'medium' ELSE 'low'
    END AS metric,
    count(*) AS moments
FROM moments
JOIN streams USING (stream_id)
WHERE $__timeFilter(timestamp)
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}))
GROUP BY 1, 2
ORDER BY 1;

-- streams
-- Streams with most messages, with what they last did.
WITH told AS (
    SELECT
        stream_id, sum(chat_count) AS messages, max(peak_viewers) AS peak,
        sum(avg_sentiment * chat_count) / nullif(sum(chat_count), 0) AS sentiment
    FROM chat_summary_${width:text}
    WHERE $__timeFilter(window_start)
    GROUP BY stream_id
),
remarkable AS (
    SELECT stream_id, count(*) AS moments, max(score) AS score
    FROM moments
    WHERE $__timeFilter(timestamp)
    GROUP BY stream_id
)
SELECT
    stream_id AS stream, title, kind, messages, peak AS "peak viewers", sentiment,
    coalesce(moments, 0) AS moments, score AS "highest score",
    extract(epoch FROM now() - last_event_at) AS "heard ago"
FROM streams
LEFT JOIN told USING (stream_id)
LEFT JOIN remarkable USING (stream_id)
WHERE '' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring})
ORDER BY messages DESC NULLS LAST, last_event_at DESC NULLS LAST
LIMIT 100;

-- moments
-- Moments, newest first.
SELECT
    timestamp AS began, stream_id AS stream, moment_type AS type, metric_name AS metric, score,
    metric_value AS value, expected,
    extract(epoch FROM coalesce(ended_at, now()) - started_at) AS lasts,
    CASE WHEN ended_at IS NULL THEN 'goes on' ELSE 'over' END AS phase,
    moment_state(state, former_state, shelved_until, ended_at, now()) AS state,
    description, moment_id AS moment
FROM moments
JOIN streams USING (stream_id)
WHERE $__timeFilter(timestamp)
  AND ('' IN (${kind:sqlstring}) OR kind IN (${kind:sqlstring}))
ORDER BY timestamp DESC
LIMIT 100;
