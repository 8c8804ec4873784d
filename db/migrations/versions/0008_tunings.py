"""Tunings: how single series are judged, where people want it otherwise."""

from alembic import op

revision = "0008"
down_revision = "0007"

STATEMENTS = (
    # What is null is not set by a rule. Bounds are those of core.tunings: the flow reads the rows
    # without asking again.
    """
    CREATE TABLE tunings (
        tuning_id       text PRIMARY KEY,
        stream_pattern  text NOT NULL,
        metric_pattern  text NOT NULL,
        is_watched      boolean,
        strictness      double precision CHECK (strictness BETWEEN 0.1 AND 100),
        deviation_min   double precision CHECK (deviation_min BETWEEN 0 AND 1e100),
        direction       text CHECK (direction IN ('both', 'up', 'down')),
        merge_s         integer CHECK (merge_s BETWEEN 0 AND 3600),
        cool_down_s     integer CHECK (cool_down_s BETWEEN 0 AND 86400),
        silence_after_s integer CHECK (silence_after_s BETWEEN 5 AND 86400),
        created_at      timestamptz NOT NULL DEFAULT now(),
        created_by      text NOT NULL,
        updated_at      timestamptz NOT NULL DEFAULT now(),
        updated_by      text NOT NULL,
        UNIQUE (stream_pattern, metric_pattern)
    )
    """,
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
