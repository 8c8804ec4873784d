"""Script runs: what a device is to do step by step, how far it is, and how it ended."""

from alembic import op

revision = "0013"
down_revision = "0012"

STATEMENTS = (
    """
    CREATE TABLE script_runs (
        run_id            text PRIMARY KEY,
        device_id         text NOT NULL REFERENCES devices ON DELETE CASCADE,
        request_id        text,
        name              text,
        text              text NOT NULL,
        confirm_dangerous boolean NOT NULL,
        asker             text NOT NULL,
        asker_id          text NOT NULL,
        asker_key_id      text,
        state             text NOT NULL CHECK (state IN (
            'queued', 'running', 'succeeded', 'failed', 'aborted'
        )),
        steps             jsonb NOT NULL,
        steps_total       integer NOT NULL,
        steps_done        integer NOT NULL DEFAULT 0,
        step_began_at     timestamptz,
        command_id        text,
        message           text,
        job_id            bigint NOT NULL,
        attempts          integer NOT NULL DEFAULT 0,
        revision          integer NOT NULL DEFAULT 0,
        created_at        timestamptz NOT NULL,
        started_at        timestamptz,
        updated_at        timestamptz NOT NULL,
        ended_at          timestamptz,
        abort_asked_at    timestamptz,
        abort_asked_by    text,
        CHECK ((ended_at IS NOT NULL) = (state IN ('succeeded', 'failed', 'aborted')))
    )
    """,
    # At most one run of a device that has not ended, whoever asks at the same time.
    "CREATE UNIQUE INDEX script_runs_open ON script_runs (device_id)"
    " WHERE state IN ('queued', 'running')",
    "CREATE UNIQUE INDEX script_runs_by_request ON script_runs (device_id, asker_id, request_id)"
    " WHERE request_id IS NOT NULL",
    "CREATE INDEX script_runs_newest ON script_runs (device_id, created_at DESC, run_id DESC)",
    "CREATE INDEX script_runs_changed ON script_runs (updated_at)",
)


def upgrade() -> None:
    """Create the table."""
    for statement in STATEMENTS:
        op.execute(statement)
