-- list_readings
-- Points of some channels ($2), newest first. Each channel is read along its index and gives what a
-- page and the points to leave out need at most.
SELECT $1::text AS stream_id, wanted.channel, point.timestamp, point.value, point.unit
FROM unnest($2::text[]) AS wanted(channel)
CROSS JOIN LATERAL (
    SELECT timestamp, value, unit
    FROM readings
    WHERE stream_id = $1
      AND channel = wanted.channel
      AND timestamp >= $3
      AND timestamp < $4
      AND timestamp <= $5
    ORDER BY timestamp DESC, value, unit
    LIMIT $6::bigint + $7::bigint
) AS point
ORDER BY point.timestamp DESC, wanted.channel, point.value, point.unit
LIMIT $6
OFFSET $7;

-- list_heard_channels
-- Channels that have points in a span: one look into the index for each, not one for each point.
WITH RECURSIVE heard AS (
    (
        SELECT channel
        FROM readings
        WHERE stream_id = $1
          AND timestamp >= $2
          AND timestamp < $3
        ORDER BY channel
        LIMIT 1
    )
    UNION ALL
    SELECT following.channel
    FROM heard
    CROSS JOIN LATERAL (
        SELECT channel
        FROM readings
        WHERE stream_id = $1
          AND timestamp >= $2
          AND timestamp < $3
          AND channel > heard.channel
        ORDER BY channel
        LIMIT 1
    ) AS following
)
SELECT channel
FROM heard
LIMIT $4;
