"""Boards: charts of any streams under one name."""

from alembic import op

revision = "0009"
down_revision = "0008"

STATEMENTS = (
    # Versions of all boards come from one sequence: a board that was deleted and came back never
    # has a version that somebody saw before.
    "CREATE SEQUENCE board_versions",
    """
    CREATE TABLE boards (
        board_id   text PRIMARY KEY,
        name       text NOT NULL UNIQUE,
        range_s    integer NOT NULL,
        charts     jsonb NOT NULL,
        version    bigint NOT NULL DEFAULT nextval('board_versions'),
        created_at timestamptz NOT NULL DEFAULT now(),
        created_by text NOT NULL,
        updated_at timestamptz NOT NULL DEFAULT now(),
        updated_by text NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
