-- regions
-- Moments that overlap the time, of one severity; one that goes on lasts until now.
SELECT
    started_at AS "time", coalesce(ended_at, now()) AS timeend,
    concat(
        '<a href="', ${page:sqlstring}, '/app/moments/', moment_id, '">', metric_name, ' ',
        round(score::numeric, 1), '</a>'
    ) AS text,
    moment_type || ',' || state AS tags
FROM moments
WHERE stream_id = ${stream:sqlstring}
  AND score >= {least}
  AND score < {below}
  AND timestamp >= $__timeFrom()::timestamptz - interval '1 day'
  AND timestamp <= $__timeTo()
  AND coalesce(ended_at, now()) >= $__timeFrom()
ORDER BY started_at
LIMIT 500;
