"""Late events that were counted later, and bus entries that nobody could read."""

from alembic import op

revision = "0002"
down_revision = "0001"

STATEMENTS = (
    "ALTER TABLE late_events ADD COLUMN applied_at timestamptz",
    """
    CREATE TABLE dead_letters (
        shard        integer NOT NULL,
        batch_offset bigint NOT NULL,
        arrived_at   timestamptz NOT NULL,
        reason       text NOT NULL,
        payload      bytea NOT NULL,
        listed_at    timestamptz NOT NULL DEFAULT now(),
        replayed_at  timestamptz,
        PRIMARY KEY (shard, batch_offset)
    )
    """,
)


def upgrade() -> None:
    """Add the column and the table."""
    for statement in STATEMENTS:
        op.execute(statement)
