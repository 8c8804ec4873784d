-- count_links
-- How many devices are there, silent, and gone.
SELECT counted.link, count(*) AS count
FROM (SELECT link FROM devices LIMIT $1) AS counted
GROUP BY counted.link
LIMIT $1;

-- count_commands
-- How many have not ended, and how many timed out since a time.
SELECT
    (
        SELECT count(*)
        FROM (
            SELECT 1
            FROM commands
            WHERE state IN ('queued', 'sent', 'acknowledged', 'running')
            LIMIT $2
        ) AS counted
    ) AS open,
    (
        SELECT count(*)
        FROM (
            SELECT 1
            FROM command_events
            WHERE at >= $1
              AND stage = 'timed_out'
              AND verdict = 'moved'
            LIMIT $2
        ) AS counted
    ) AS timed_out;
