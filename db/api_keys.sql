-- lock_changes
-- Changes of keys are rare and go one after the other, so that the limit on keys is exact.
SELECT pg_advisory_xact_lock($1);

-- count_good
SELECT count(*)
FROM api_keys
WHERE revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > now());

-- exists_any
SELECT EXISTS (SELECT FROM api_keys);

-- insert_key
INSERT INTO api_keys (key_id, name, prefix, digest, scopes, streams, created_by, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
RETURNING
    key_id, name, prefix, scopes, streams, created_at, created_by, expires_at, revoked_at,
    last_used_at;

-- get_key
SELECT
    key_id, name, prefix, scopes, streams, created_at, created_by, expires_at, revoked_at,
    last_used_at
FROM api_keys
WHERE key_id = $1;

-- replace_secret
UPDATE api_keys
SET prefix = $2,
    digest = $3
WHERE key_id = $1
RETURNING
    key_id, name, prefix, scopes, streams, created_at, created_by, expires_at, revoked_at,
    last_used_at;

-- revoke_key
UPDATE api_keys
SET revoked_at = now()
WHERE key_id = $1
RETURNING
    key_id, name, prefix, scopes, streams, created_at, created_by, expires_at, revoked_at,
    last_used_at;

-- list_keys
-- By time of creation, newest first, from after a key on.
SELECT
    key_id, name, prefix, scopes, streams, created_at, created_by, expires_at, revoked_at,
    last_used_at
FROM api_keys
WHERE $1::timestamptz IS NULL OR (created_at, key_id) < ($1, $2::text)
ORDER BY created_at DESC, key_id DESC
LIMIT $3;

-- list_good
-- Every key that opens something now, with what is needed to recognise it.
SELECT key_id, name, prefix, digest, scopes, streams, expires_at
FROM api_keys
WHERE revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > now())
ORDER BY key_id
LIMIT $1;

-- stamp_good
-- One number that is another one when any key comes, goes or gets another secret.
SELECT hashtextextended(coalesce(string_agg(prefix, ',' ORDER BY key_id), ''), 0)
FROM api_keys
WHERE revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > now());

-- note_uses
UPDATE api_keys
SET last_used_at = used.at
FROM unnest($1::text[], $2::timestamptz[]) AS used (key_id, at)
WHERE api_keys.key_id = used.key_id;
