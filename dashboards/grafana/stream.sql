-- streams
-- Streams, those heard last first.
SELECT coalesce(title || ' · ' || stream_id, stream_id) AS __text, stream_id AS __value
FROM streams
ORDER BY last_event_at DESC NULLS LAST
LIMIT 1000;

-- newest
-- The newest complete minute, and how long ago the stream was heard.
SELECT
    chat_count AS messages, unique_chatters AS chatters, avg_viewers AS viewers,
    avg_sentiment AS sentiment, z_score AS "z-score"
FROM chat_summary_minute
WHERE stream_id = ${stream:sqlstring}
  AND window_start > now() - interval '2 days'
  AND window_end <= now()
ORDER BY window_start DESC
LIMIT 1;

-- heard
-- How long ago the stream was heard.
SELECT extract(epoch FROM now() - last_event_at) AS "heard ago"
FROM streams
WHERE stream_id = ${stream:sqlstring};

-- chat_rate
-- Messages a second, over windows that are complete.
SELECT $__timeGroupAlias(window_start, '${width}', NULL), chat_rate AS messages
FROM chat_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND window_end <= now()
ORDER BY 1;

-- z_score
-- How far minutes are from what was usual, as the detector judged them; hours are not judged.
SELECT $__timeGroupAlias(window_start, '1m', NULL), z_score AS "z-score"
FROM chat_summary_minute
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND '${width}' = '1m'
  AND window_end <= now()
ORDER BY 1;

-- viewers
-- Average and peak of viewers.
SELECT
    $__timeGroupAlias(window_start, '${width}', NULL), avg_viewers AS average, peak_viewers AS peak
FROM chat_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND window_end <= now()
ORDER BY 1;

-- sentiment
-- The mood of messages, from -1 to +1.
SELECT $__timeGroupAlias(window_start, '${width}', NULL), avg_sentiment AS sentiment
FROM chat_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND window_end <= now()
ORDER BY 1;

-- chatters
-- Different people in a minute; of an hour and a day, the most of any minute.
SELECT $__timeGroupAlias(window_start, '${width}', NULL), unique_chatters AS chatters
FROM chat_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
  AND window_end <= now()
ORDER BY 1;

-- emotes
-- Emotes that were used most.
SELECT used.key AS emote, sum(used.value::bigint) AS uses
FROM chat_summary_${width:text}
CROSS JOIN LATERAL jsonb_each_text(emote_counts) AS used
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
GROUP BY used.key
ORDER BY uses DESC, emote
LIMIT 12;

-- emote_course
-- The five emotes that were used most, over time.
WITH used AS (
    SELECT $__timeGroup(window_start, '${width}') AS at, each.key AS emote, each.value::bigint AS uses
    FROM chat_summary_${width:text}
    CROSS JOIN LATERAL jsonb_each_text(emote_counts) AS each
    WHERE stream_id = ${stream:sqlstring}
      AND $__timeFilter(window_start)
      AND window_end <= now()
),
most AS (
    SELECT emote
    FROM used
    GROUP BY emote
    ORDER BY sum(uses) DESC, emote
    LIMIT 5
)
SELECT at AS "time", emote AS metric, uses
FROM used
JOIN most USING (emote)
ORDER BY 1;

-- transactions
-- Transactions by kind and currency, as amounts.
SELECT
    $__timeGroupAlias(window_start, $__interval), kind || ' ' || currency AS metric,
    coalesce(sum(sum), sum(count)) AS amount
FROM transaction_summary_minute
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
GROUP BY 1, kind, currency
ORDER BY 1;

-- transaction_totals
-- What transactions came to.
SELECT kind, nullif(currency, '') AS currency, sum(count) AS transactions, sum(sum) AS amount
FROM transaction_summary_minute
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
GROUP BY kind, currency
ORDER BY transactions DESC
LIMIT 50;

-- moments
-- Moments of the stream, newest first.
SELECT
    timestamp AS began, moment_type AS type, metric_name AS metric, score, metric_value AS value,
    expected, extract(epoch FROM coalesce(ended_at, now()) - started_at) AS lasts,
    CASE WHEN ended_at IS NULL THEN 'goes on' ELSE 'over' END AS phase,
    moment_state(state, former_state, shelved_until, ended_at, now()) AS state,
    description, moment_id AS moment
FROM moments
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(timestamp)
ORDER BY timestamp DESC
LIMIT 100;
