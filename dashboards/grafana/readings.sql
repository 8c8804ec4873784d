-- channels
-- Channels of a stream with values in this time.
SELECT DISTINCT channel
FROM reading_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND $__timeFilter(window_start)
ORDER BY channel
LIMIT 200;

-- channel
-- Mean, lowest and highest value of one channel.
SELECT $__timeGroupAlias(window_start, '${width}', NULL), mean, min, max
FROM reading_summary_${width:text}
WHERE stream_id = ${stream:sqlstring}
  AND channel IN (${channel:sqlstring})
  AND $__timeFilter(window_start)
  AND window_end <= now()
ORDER BY 1;
