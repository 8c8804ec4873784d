"""Lives of moments: what people did with each, and the state that follows from it."""

from alembic import op

revision = "0004"
down_revision = "0003"

STATEMENTS = (
    # The columns that people change and the flow never writes. Beside the moment and not in a table
    # of their own, so that a list of one state is read from an index.
    """
    ALTER TABLE moments
        ADD COLUMN former_state text CHECK (former_state IN ('open', 'acknowledged')),
        ADD COLUMN shelved_until timestamptz,
        ADD COLUMN label boolean,
        ADD COLUMN version integer NOT NULL DEFAULT 0
    """,
    # The same as find_state in core.moment_lives, for filters.
    """
    CREATE FUNCTION moment_state(
        state text, former_state text, shelved_until timestamptz, ended_at timestamptz,
        at timestamptz
    ) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE
        WHEN state = 'shelved' AND shelved_until > at THEN 'shelved'
        WHEN state = 'shelved' AND shelved_until IS NULL
            THEN CASE WHEN ended_at IS NULL THEN 'shelved' ELSE 'resolved' END
        WHEN state = 'acknowledged' OR (state = 'shelved' AND former_state = 'acknowledged')
            THEN CASE WHEN ended_at IS NULL THEN 'acknowledged' ELSE 'resolved' END
        WHEN state = 'shelved' THEN 'open'
        ELSE state
    END
    """,
    # What is stored narrows down what a moment's state may be; an index for each way of asking.
    "DROP INDEX moments_unresolved",
    "CREATE INDEX moments_open ON moments (timestamp DESC, moment_id)"
    " WHERE state IN ('open', 'shelved')",
    "CREATE INDEX moments_handled ON moments (timestamp DESC, moment_id)"
    " WHERE state IN ('acknowledged', 'shelved')",
    "CREATE INDEX moments_not_open ON moments (timestamp DESC, moment_id) WHERE state <> 'open'",
    "CREATE INDEX moments_shelved ON moments (shelved_until) WHERE shelved_until IS NOT NULL",
    """
    CREATE TABLE moment_lives (
        moment_id     text NOT NULL,
        version       integer NOT NULL,
        stream_id     text NOT NULL,
        at            timestamptz NOT NULL,
        actor_key_id  text,
        actor_name    text NOT NULL,
        action        text,
        state         text NOT NULL,
        shelved_until timestamptz,
        is_labelled   boolean NOT NULL,
        label         boolean,
        comment       text CHECK (length(comment) <= 2000),
        PRIMARY KEY (moment_id, version)
    )
    """,
    "CREATE INDEX moment_lives_by_stream ON moment_lives (stream_id)",
)


def upgrade() -> None:
    """Add the columns and create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
