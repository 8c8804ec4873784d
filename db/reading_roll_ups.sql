-- roll_up_reading_hours
-- Whole hours anew from their final minutes, as those of chat. The spread is pooled around the
-- common mean, never from sums of squares: a sensor that reads 1 000 000 ± 0.1 keeps its ± 0.1.
-- Percentiles of minutes have no percentile of the hour in them.
WITH rolled AS (
    INSERT INTO reading_summary_hour AS hours (
        stream_id, channel, window_start, window_end, minutes, unit, count, mean, min, max, stddev,
        last, last_at, revision
    )
    SELECT
        t.stream_id, t.channel, t.window_start, t.window_start + INTERVAL '1 hour', minutes, unit,
        count, greatest(min, least(max, pooled_mean)), min, max,
        coalesce(sqrt(squares / nullif(count - 1, 0)), 0), last, last_at, revision
    FROM unnest($3::timestamptz[], $4::text[], $5::text[]) AS t(window_start, stream_id, channel)
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS minutes, last(unit, last_at) FILTER (WHERE unit IS NOT NULL) AS unit,
            sum(count)::bigint AS count,
            zero_if_tiny(sum(mean * count)) / sum(count)::double precision AS pooled_mean,
            min(min) AS min, max(max) AS max, last(last, last_at) AS last, max(last_at) AS last_at,
            max(revision) AS revision
        FROM reading_summary_minute AS m
        WHERE m.stream_id = t.stream_id
          AND m.channel = t.channel
          AND m.window_start >= t.window_start
          AND m.window_start < t.window_start + INTERVAL '1 hour'
          AND m.window_start >= $1 AND m.window_start < $2
          AND m.final
    ) AS sums
    CROSS JOIN LATERAL (
        SELECT sum(
            zero_if_tiny(stddev) * zero_if_tiny(stddev) * (m.count - 1)
            + zero_if_tiny(m.mean - pooled_mean) * zero_if_tiny(m.mean - pooled_mean) * m.count
        ) AS squares
        FROM reading_summary_minute AS m
        WHERE m.stream_id = t.stream_id
          AND m.channel = t.channel
          AND m.window_start >= t.window_start
          AND m.window_start < t.window_start + INTERVAL '1 hour'
          AND m.window_start >= $1 AND m.window_start < $2
          AND m.final
    ) AS spread
    WHERE minutes > 0
    ON CONFLICT (stream_id, channel, window_start) DO UPDATE
    SET minutes = excluded.minutes,
        unit = excluded.unit,
        count = excluded.count,
        mean = excluded.mean,
        min = excluded.min,
        max = excluded.max,
        stddev = excluded.stddev,
        last = excluded.last,
        last_at = excluded.last_at,
        revision = excluded.revision
    WHERE excluded.minutes >= hours.minutes
    RETURNING stream_id, channel, window_start
)
SELECT DISTINCT stream_id, channel, date_bin('24 hours', window_start, 'epoch') AS day_start
FROM rolled;

-- roll_up_reading_days
-- As above, from hours.
INSERT INTO reading_summary_day AS days (
    stream_id, channel, window_start, window_end, minutes, unit, count, mean, min, max, stddev,
    last, last_at, revision
)
SELECT
    t.stream_id, t.channel, t.window_start, t.window_start + INTERVAL '24 hours', minutes, unit,
    count, greatest(min, least(max, pooled_mean)), min, max,
    coalesce(sqrt(squares / nullif(count - 1, 0)), 0), last, last_at, revision
FROM unnest($3::timestamptz[], $4::text[], $5::text[]) AS t(window_start, stream_id, channel)
CROSS JOIN LATERAL (
    SELECT
        sum(minutes) AS minutes, last(unit, last_at) FILTER (WHERE unit IS NOT NULL) AS unit,
        sum(count)::bigint AS count,
        zero_if_tiny(sum(mean * count)) / sum(count)::double precision AS pooled_mean,
        min(min) AS min, max(max) AS max, last(last, last_at) AS last, max(last_at) AS last_at,
        max(revision) AS revision
    FROM reading_summary_hour AS h
    WHERE h.stream_id = t.stream_id
      AND h.channel = t.channel
      AND h.window_start >= t.window_start
      AND h.window_start < t.window_start + INTERVAL '24 hours'
      AND h.window_start >= $1 AND h.window_start < $2
) AS sums
CROSS JOIN LATERAL (
    SELECT sum(
        zero_if_tiny(stddev) * zero_if_tiny(stddev) * (h.count - 1)
        + zero_if_tiny(h.mean - pooled_mean) * zero_if_tiny(h.mean - pooled_mean) * h.count
    ) AS squares
    FROM reading_summary_hour AS h
    WHERE h.stream_id = t.stream_id
      AND h.channel = t.channel
      AND h.window_start >= t.window_start
      AND h.window_start < t.window_start + INTERVAL '24 hours'
      AND h.window_start >= $1 AND h.window_start < $2
) AS spread
ON CONFLICT (stream_id, channel, window_start) DO UPDATE
SET minutes = excluded.minutes,
    unit = excluded.unit,
    count = excluded.count,
    mean = excluded.mean,
    min = excluded.min,
    max = excluded.max,
    stddev = excluded.stddev,
    last = excluded.last,
    last_at = excluded.last_at,
    revision = excluded.revision
WHERE excluded.minutes >= days.minutes;
