-- measure_chat
-- What is known of each metric of chat in a stretch of time, the end included; null: not heard.
SELECT
    CASE WHEN count(*) > 0 THEN count(*) FILTER (WHERE final) END AS chat_count,
    CASE WHEN count(avg_viewers) > 0 THEN count(avg_viewers) FILTER (WHERE final) END
        AS avg_viewers,
    CASE WHEN count(avg_sentiment) > 0 THEN count(avg_sentiment) FILTER (WHERE final) END
        AS avg_sentiment,
    last(z_score, window_start) FILTER (WHERE z_score IS NOT NULL) AS z_score,
    max(window_start) FILTER (WHERE z_score IS NOT NULL) AS judged_at
FROM chat_summary_minute
WHERE stream_id = $1
  AND window_start > $2
  AND window_start <= $3;

-- measure_transactions
-- A minute counts once, however many kinds and currencies it has.
SELECT CASE WHEN count(*) > 0 THEN count(DISTINCT window_start) FILTER (WHERE final) END
FROM (
    SELECT window_start, final
    FROM transaction_summary_minute
    WHERE stream_id = $1
      AND window_start > $2
      AND window_start <= $3
    ORDER BY window_start DESC, kind, currency
    LIMIT $4
) AS heard;

-- measure_channels
-- The channels that were heard ($5), found from the last name backwards by one look for each, and what
-- is known of each in the stretch. They are looked for further back than that: of the newest hour
-- the planner may believe that it is nearly empty, and go through that of all streams.
WITH RECURSIVE heard AS (
    (
        SELECT channel
        FROM reading_summary_minute
        WHERE stream_id = $1
          AND window_start > $5
        ORDER BY channel DESC, window_start DESC
        LIMIT 1
    )
    UNION ALL
    SELECT previous.channel
    FROM heard
    CROSS JOIN LATERAL (
        SELECT channel
        FROM reading_summary_minute
        WHERE stream_id = $1
          AND window_start > $5
          AND channel < heard.channel
        ORDER BY channel DESC, window_start DESC
        LIMIT 1
    ) AS previous
),
listed AS (
    SELECT channel
    FROM heard
    ORDER BY channel
    LIMIT $4
)
SELECT listed.channel, known.minutes, known.z_score, known.judged_at
FROM listed
CROSS JOIN LATERAL (
    SELECT
        count(*) FILTER (WHERE final) AS minutes,
        last(z_score, window_start) FILTER (WHERE z_score IS NOT NULL) AS z_score,
        max(window_start) FILTER (WHERE z_score IS NOT NULL) AS judged_at
    FROM reading_summary_minute
    WHERE stream_id = $1
      AND channel = listed.channel
      AND window_start > $2
      AND window_start <= $3
    HAVING count(*) > 0
) AS known
ORDER BY listed.channel;
