"""Dead letters say which streams they are about, and are listed by the time of their arrival."""

from alembic import op

revision = "0006"
down_revision = "0005"

STATEMENTS = (
    # Of those listed before nobody has looked: they name none.
    "ALTER TABLE dead_letters ADD COLUMN stream_ids text[] NOT NULL DEFAULT '{}'",
    "CREATE INDEX dead_letters_by_arrival ON dead_letters"
    " (arrived_at DESC, shard DESC, batch_offset DESC)",
)


def upgrade() -> None:
    """Add the column and the index."""
    for statement in STATEMENTS:
        op.execute(statement)
