-- list_points
-- Points of channels, each of a stream ($1, $2) and within a stretch of time of its own ($3, $4),
-- newest first. Each channel is read along its index and gives what a page needs at most.
SELECT wanted.stream_id, wanted.channel, point.timestamp, point.value, point.unit
FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::timestamptz[])
    AS wanted(stream_id, channel, starts_at, ends_at)
CROSS JOIN LATERAL (
    SELECT timestamp, value, unit
    FROM readings
    WHERE stream_id = wanted.stream_id
      AND channel = wanted.channel
      AND timestamp >= wanted.starts_at
      AND timestamp <= wanted.ends_at
      AND timestamp >= $5
      AND timestamp < $6
      AND timestamp <= $7
    ORDER BY timestamp DESC, value, unit
    LIMIT $8::bigint + $9::bigint
) AS point
ORDER BY point.timestamp DESC, wanted.stream_id, wanted.channel, point.value, point.unit
LIMIT $8
OFFSET $9;

-- list_channels
-- Channels of streams ($1) that have points in a stretch of time, each of its own ($2, $3): one look
-- into the index for each channel, not one for each point.
SELECT wanted.stream_id, heard.channel
FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[])
    WITH ORDINALITY AS wanted(stream_id, starts_at, ends_at, place)
CROSS JOIN LATERAL (
    WITH RECURSIVE channels AS (
        (
            SELECT channel
            FROM readings
            WHERE stream_id = wanted.stream_id
              AND timestamp >= wanted.starts_at
              AND timestamp <= wanted.ends_at
              AND timestamp >= $4
              AND timestamp <= $5
            ORDER BY channel
            LIMIT 1
        )
        UNION ALL
        SELECT following.channel
        FROM channels
        CROSS JOIN LATERAL (
            SELECT channel
            FROM readings
            WHERE stream_id = wanted.stream_id
              AND timestamp >= wanted.starts_at
              AND timestamp <= wanted.ends_at
              AND timestamp >= $4
              AND timestamp <= $5
              AND channel > channels.channel
            ORDER BY channel
            LIMIT 1
        ) AS following
    )
    SELECT channel FROM channels LIMIT $6
) AS heard
ORDER BY wanted.place, heard.channel
LIMIT $6;

-- list_newest
-- The newest point of each channel ($1, $2) at a time ($4), none of before another ($3).
SELECT wanted.stream_id, wanted.channel, point.timestamp, point.value, point.unit
FROM unnest($1::text[], $2::text[]) AS wanted(stream_id, channel)
CROSS JOIN LATERAL (
    SELECT timestamp, value, unit
    FROM readings
    WHERE stream_id = wanted.stream_id
      AND channel = wanted.channel
      AND timestamp >= $3
      AND timestamp <= $4
    ORDER BY timestamp DESC
    LIMIT 1
) AS point
LIMIT $5;

-- find_applied
-- Through which offset a shard is applied.
SELECT applied_offset FROM source_offsets WHERE shard = $1;
