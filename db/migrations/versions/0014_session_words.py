"""Sessions are found by words of their name and description."""

from alembic import op

revision = "0014"
down_revision = "0013"

STATEMENTS = (
    """
    ALTER TABLE sessions
    ADD COLUMN words tsvector GENERATED ALWAYS AS (
        to_tsvector('simple', name || ' ' || description)
        || to_tsvector('english', name || ' ' || description)
    ) STORED
    """,
    "CREATE INDEX sessions_by_words ON sessions USING gin (words)",
)


def upgrade() -> None:
    """Let the database keep the words of each session."""
    for statement in STATEMENTS:
        op.execute(statement)
