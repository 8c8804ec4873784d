"""Devices: what each registered, whether it is there, its commands, and the log of all it said."""

from alembic import op

revision = "0012"
down_revision = "0011"

STATEMENTS = (
    """
    CREATE TABLE devices (
        device_id         text PRIMARY KEY,
        title             text,
        kind              text,
        telemetry_types   jsonb NOT NULL,
        command_templates jsonb NOT NULL,
        heartbeat_s       double precision NOT NULL,
        at_once           integer NOT NULL,
        link              text NOT NULL CHECK (link IN ('connected', 'stale', 'gone')),
        link_id           bigint NOT NULL,
        last_seen_at      timestamptz NOT NULL,
        registered_at     timestamptz NOT NULL,
        created_at        timestamptz NOT NULL,
        title_by          text
    )
    """,
    "CREATE SEQUENCE device_link_ids",
    "CREATE INDEX devices_linked ON devices (last_seen_at) WHERE link <> 'gone'",
    """
    CREATE TABLE device_links (
        id        bigserial PRIMARY KEY,
        device_id text NOT NULL REFERENCES devices ON DELETE CASCADE,
        state     text NOT NULL CHECK (state IN ('connected', 'stale', 'gone', 'replaced')),
        at        timestamptz NOT NULL,
        reason    text NOT NULL
    )
    """,
    "CREATE INDEX device_links_of_one ON device_links (device_id, id DESC)",
    """
    CREATE TABLE commands (
        command_id         text PRIMARY KEY,
        device_id          text NOT NULL REFERENCES devices ON DELETE CASCADE,
        request_id         text,
        asker              text NOT NULL,
        asker_id           text NOT NULL,
        command            text NOT NULL,
        parameters         jsonb NOT NULL,
        verifiers          jsonb NOT NULL,
        priority           smallint NOT NULL,
        dangerous          boolean NOT NULL,
        held               boolean NOT NULL,
        confirm_token      text,
        confirm_expires_at timestamptz,
        confirmed_at       timestamptz,
        confirmed_by       text,
        state              text NOT NULL CHECK (state IN (
            'queued', 'sent', 'acknowledged', 'running',
            'succeeded', 'failed', 'timed_out', 'cancelled'
        )),
        deadline_at        timestamptz NOT NULL,
        due_at             timestamptz NOT NULL,
        accepted_s         double precision,
        started_s          double precision,
        completed_s        double precision,
        sends              integer NOT NULL DEFAULT 0,
        created_at         timestamptz NOT NULL,
        sent_at            timestamptz,
        acknowledged_at    timestamptz,
        running_at         timestamptz,
        ended_at           timestamptz,
        message            text,
        details            jsonb,
        CHECK ((ended_at IS NOT NULL)
            = (state IN ('succeeded', 'failed', 'timed_out', 'cancelled')))
    )
    """,
    "CREATE UNIQUE INDEX commands_by_request ON commands (device_id, asker_id, request_id)"
    " WHERE request_id IS NOT NULL",
    "CREATE INDEX commands_newest ON commands (device_id, created_at DESC, command_id DESC)",
    # Those that have not ended: by device in the order in which they are sent, and by when they
    # are given up.
    "CREATE INDEX commands_open ON commands (device_id, priority DESC, created_at, command_id)"
    " WHERE state IN ('queued', 'sent', 'acknowledged', 'running')",
    "CREATE INDEX commands_due ON commands (due_at)"
    " WHERE state IN ('queued', 'sent', 'acknowledged', 'running')",
    """
    CREATE TABLE command_events (
        id         bigserial PRIMARY KEY,
        command_id text NOT NULL REFERENCES commands ON DELETE CASCADE,
        at         timestamptz NOT NULL,
        stage      text NOT NULL,
        source     text NOT NULL CHECK (source IN ('person', 'device', 'telemetry', 'clock')),
        verdict    text NOT NULL,
        actor      text,
        message    text,
        details    jsonb
    )
    """,
    "CREATE INDEX command_events_of_one ON command_events (command_id, id)",
    "CREATE INDEX command_events_newest ON command_events (at)",
    # The number makes a row unique among those of one device and time: written again after a
    # broken connection it is not there twice.
    """
    CREATE TABLE device_log (
        device_id   text NOT NULL,
        timestamp   timestamptz NOT NULL,
        seq         bigint NOT NULL,
        kind        text NOT NULL CHECK (kind IN ('data', 'command_result', 'device_message')),
        id          text NOT NULL,
        value       jsonb NOT NULL,
        received_at timestamptz NOT NULL,
        PRIMARY KEY (device_id, timestamp, seq)
    )
    """,
    "SELECT create_hypertable('device_log', by_range('timestamp', INTERVAL '1 day'),"
    " create_default_indexes => false)",
    "CREATE INDEX device_log_by_id ON device_log (device_id, id, timestamp DESC, seq DESC)",
    """
    CREATE TABLE device_log_counts (
        device_id text PRIMARY KEY,
        rows      bigint NOT NULL
    )
    """,
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
