"""Indexes that pages are read along: what no index gave was sorted or searched as a whole."""

from alembic import op

revision = "0005"
down_revision = "0004"

STATEMENTS = (
    # Which moments of some streams go on: few, however many are over.
    "CREATE INDEX moments_going_on ON moments (stream_id, timestamp DESC) WHERE ended_at IS NULL",
    "CREATE INDEX moments_by_type ON moments (moment_type, timestamp DESC)",
    # Newest first, of all kinds and currencies; the primary key has these before the time.
    "CREATE INDEX transaction_minutes_by_stream ON transaction_summary_minute"
    " (stream_id, window_start DESC, kind, currency)",
    "CREATE INDEX dead_letters_waiting ON dead_letters (batch_offset, shard)"
    " WHERE replayed_at IS NULL",
    "CREATE INDEX late_events_by_minute ON late_events (window_start)",
    "CREATE INDEX api_keys_by_creation ON api_keys (created_at DESC, key_id DESC)",
)


def upgrade() -> None:
    """Create the indexes."""
    for statement in STATEMENTS:
        op.execute(statement)
