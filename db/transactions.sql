-- list_transactions
-- Transactions of one stream, newest first.
SELECT stream_id, timestamp, kind, amount, currency, user_name AS "user"
FROM transactions
WHERE stream_id = $1
  AND ($2::text IS NULL OR kind = $2)
  AND ($3::text IS NULL OR currency = $3)
  AND timestamp >= $4
  AND timestamp < $5
  AND timestamp <= $6
ORDER BY timestamp DESC, kind, currency, user_name, amount
LIMIT $7
OFFSET $8;

-- list_transaction_minutes
-- Counts and sums by minute, kind and currency, newest first.
SELECT
    stream_id, window_start, window_end, kind, nullif(currency, '') AS currency, count, sum,
    revision, final
FROM transaction_summary_minute AS minutes
WHERE stream_id = $1
  AND ($2::text IS NULL OR kind = $2)
  AND ($3::text IS NULL OR minutes.currency = $3)
  AND window_start >= $4
  AND window_start < $5
  AND window_start <= $6
  AND (window_start < $6 OR (kind, minutes.currency) > ($7::text, $8::text))
ORDER BY window_start DESC, kind, minutes.currency
LIMIT $9;

-- sum_transactions
-- Counts and sums of one stream by stretch of time ($4), kind and currency, oldest first.
SELECT
    time_bucket($4::interval, window_start) AS window_start, kind,
    nullif(minutes.currency, '') AS currency, sum(count)::bigint AS count, sum(sum) AS sum
FROM transaction_summary_minute AS minutes
WHERE stream_id = $1
  AND window_start >= $2
  AND window_start < $3
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
LIMIT $5;
