"""API keys, and the log of who changed what."""

from alembic import op

revision = "0003"
down_revision = "0002"

STATEMENTS = (
    # Rows stay when a key is revoked: that a key was ever made is what closes the door.
    """
    CREATE TABLE api_keys (
        key_id       text PRIMARY KEY,
        name         text NOT NULL,
        prefix       text NOT NULL UNIQUE,
        digest       bytea NOT NULL CHECK (octet_length(digest) = 32),
        scopes       text[] NOT NULL CHECK (
            cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'ingest', 'operate', 'admin']
        ),
        streams      text[] CHECK (cardinality(streams) > 0),
        created_at   timestamptz NOT NULL DEFAULT now(),
        created_by   text NOT NULL,
        expires_at   timestamptz,
        revoked_at   timestamptz,
        last_used_at timestamptz
    )
    """,
    "CREATE INDEX api_keys_not_revoked ON api_keys (key_id) WHERE revoked_at IS NULL",
    """
    CREATE TABLE audit_log (
        id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        at           timestamptz NOT NULL DEFAULT now(),
        actor_key_id text,
        actor_name   text NOT NULL,
        action       text NOT NULL,
        target       text NOT NULL,
        before       jsonb,
        after        jsonb
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
