-- insert_entry
INSERT INTO audit_log (actor_key_id, actor_name, action, target, before, after)
VALUES ($1, $2, $3, $4, $5::jsonb, $6::jsonb);

-- list_entries
-- Newest first, from before an entry on.
SELECT id, at, actor_key_id, actor_name, action, target, before, after
FROM audit_log
WHERE $1::bigint IS NULL OR id < $1
ORDER BY id DESC
LIMIT $2;
