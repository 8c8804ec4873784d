-- make_link_id
-- The number of a connection; a later one of the same device is newer.
SELECT nextval('device_link_ids');

-- lock_device
SELECT link, link_id
FROM devices
WHERE device_id = $1
LIMIT 1
FOR UPDATE;

-- upsert_device
-- What a device says of itself; the title that people gave it stays.
INSERT INTO devices (
    device_id, title, kind, telemetry_types, command_templates, heartbeat_s, at_once, link,
    link_id, last_seen_at, registered_at, created_at
)
VALUES ($1, $2, $3, $4, $5, $6, $7, 'connected', $8, $9, $9, $9)
ON CONFLICT (device_id) DO UPDATE
SET title = CASE WHEN devices.title_by IS NULL THEN excluded.title ELSE devices.title END,
    kind = excluded.kind,
    telemetry_types = excluded.telemetry_types,
    command_templates = excluded.command_templates,
    heartbeat_s = excluded.heartbeat_s,
    at_once = excluded.at_once,
    link = 'connected',
    link_id = excluded.link_id,
    last_seen_at = excluded.last_seen_at,
    registered_at = excluded.registered_at
WHERE devices.link_id < excluded.link_id
RETURNING device_id;

-- insert_link
INSERT INTO device_links (device_id, state, at, reason)
VALUES ($1, $2, $3, $4);

-- touch_device
-- That a connection was heard; nothing when a newer one has taken over.
UPDATE devices
SET last_seen_at = greatest(last_seen_at, $3)
WHERE device_id = $1
  AND link_id = $2
RETURNING link;

-- set_link
UPDATE devices
SET link = $3,
    last_seen_at = greatest(last_seen_at, $4)
WHERE device_id = $1
  AND link_id = $2
  AND link <> $3
RETURNING device_id;

-- find_lost
-- Devices whose connection nobody holds any more: the process that held it died.
SELECT device_id, link_id
FROM devices
WHERE link <> 'gone'
  AND last_seen_at < $1::timestamptz - make_interval(secs => heartbeat_s * $2 + $3)
ORDER BY last_seen_at
LIMIT $4
FOR UPDATE SKIP LOCKED;

-- get_device
SELECT
    device_id, title, kind, telemetry_types, command_templates, heartbeat_s, at_once, link,
    link_id, last_seen_at, registered_at, created_at
FROM devices
WHERE device_id = $1;

-- list_devices
SELECT
    device_id, title, kind, heartbeat_s, link, last_seen_at, registered_at, created_at,
    (SELECT count(*) FROM jsonb_object_keys(telemetry_types)) AS telemetry_types,
    (SELECT count(*) FROM jsonb_object_keys(command_templates)) AS command_templates
FROM devices
WHERE $1::text IS NULL OR device_id > $1
ORDER BY device_id
LIMIT $2;

-- list_ids
-- Devices with a command of a name, or all; to find the one that is meant.
SELECT device_id
FROM devices
WHERE $1::text IS NULL OR command_templates ? $1
ORDER BY device_id
LIMIT $2;

-- set_title
UPDATE devices
SET title = $2,
    title_by = $3
WHERE device_id = $1
RETURNING device_id;

-- delete_device
DELETE FROM devices WHERE device_id = $1;

-- list_links
SELECT id, state, at, reason
FROM device_links
WHERE device_id = $1
  AND ($2::bigint IS NULL OR id < $2)
ORDER BY id DESC
LIMIT $3;
