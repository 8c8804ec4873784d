-- lock_changes
-- Changes of boards are rare and go one after the other, so that the limit on boards is exact.
SELECT pg_advisory_xact_lock($1);

-- count_boards
SELECT count(*) FROM boards;

-- find_namesake
-- The board of a name, other than one.
SELECT board_id
FROM boards
WHERE name = $1
  AND board_id <> $2
LIMIT 1;

-- insert_board
INSERT INTO boards (board_id, name, range_s, charts, created_by, updated_by)
VALUES ($1, $2, $3, $4, $5, $5)
RETURNING
    board_id, name, range_s, charts, version, created_at, created_by, updated_at, updated_by;

-- replace_board
UPDATE boards
SET name = $2,
    range_s = $3,
    charts = $4,
    version = nextval('board_versions'),
    updated_at = clock_timestamp(),
    updated_by = $5
WHERE board_id = $1
RETURNING
    board_id, name, range_s, charts, version, created_at, created_by, updated_at, updated_by;

-- delete_board
DELETE FROM boards WHERE board_id = $1;

-- get_board
SELECT board_id, name, range_s, charts, version, created_at, created_by, updated_at, updated_by
FROM boards
WHERE board_id = $1;

-- list_boards
-- By name, from after a name on.
SELECT board_id, name, range_s, charts, version, created_at, created_by, updated_at, updated_by
FROM boards
WHERE $1::text IS NULL OR name > $1
ORDER BY name
LIMIT $2;
