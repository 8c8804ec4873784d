"""Alerts: what changed of moments, who is told of it, what was told, and what was sent."""

from alembic import op

revision = "0007"
down_revision = "0006"

STATEMENTS = (
    # Written in the transaction that writes the moment, deleted in the one that decides about it.
    """
    CREATE TABLE moment_changes (
        id        bigserial PRIMARY KEY,
        moment_id text NOT NULL,
        timestamp timestamptz NOT NULL,
        at        timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX moment_changes_by_age ON moment_changes (at)",
    """
    CREATE TABLE alert_routes (
        route_id        text PRIMARY KEY,
        name            text NOT NULL UNIQUE,
        kind            text NOT NULL CHECK (kind IN ('webhook', 'alertmanager', 'apprise')),
        enabled         boolean NOT NULL,
        target          text NOT NULL,
        secret          text,
        rate_per_minute integer CHECK (rate_per_minute > 0),
        quiet           jsonb,
        critical_passes boolean NOT NULL,
        timeout_s       double precision NOT NULL,
        created_at      timestamptz NOT NULL DEFAULT now(),
        created_by      text NOT NULL,
        updated_at      timestamptz NOT NULL DEFAULT now(),
        beat_at         timestamptz NOT NULL DEFAULT '-infinity'
    )
    """,
    """
    CREATE TABLE alert_rules (
        rule_id        text PRIMARY KEY,
        name           text NOT NULL UNIQUE,
        enabled        boolean NOT NULL,
        stream         text NOT NULL,
        kind           text NOT NULL,
        tags           text[] NOT NULL,
        types          text[] NOT NULL,
        min_score      double precision NOT NULL,
        min_duration_s double precision NOT NULL,
        schedule       jsonb,
        severity       text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
        group_by       text[] NOT NULL,
        group_wait_s   double precision NOT NULL,
        cool_down_s    double precision NOT NULL,
        routes         text[] NOT NULL,
        tell_ends      boolean NOT NULL,
        created_at     timestamptz NOT NULL DEFAULT now(),
        created_by     text NOT NULL,
        updated_at     timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE alert_watches (
        rule_id    text NOT NULL REFERENCES alert_rules ON DELETE CASCADE,
        moment_id  text NOT NULL,
        timestamp  timestamptz NOT NULL,
        group_key  text NOT NULL,
        phase      text NOT NULL CHECK (phase IN ('held', 'passed', 'told', 'over', 'closed')),
        ready_at   timestamptz NOT NULL,
        routes     text[] NOT NULL,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (moment_id, rule_id)
    )
    """,
    "CREATE INDEX alert_watches_waiting ON alert_watches (rule_id, group_key, ready_at, moment_id)"
    " WHERE phase IN ('held', 'passed', 'over')",
    # What an Alertmanager is told of again and again, and what is old enough to go.
    "CREATE INDEX alert_watches_by_phase ON alert_watches (phase, updated_at)",
    """
    CREATE TABLE alert_groups (
        rule_id    text NOT NULL REFERENCES alert_rules ON DELETE CASCADE,
        group_key  text NOT NULL,
        told_at    timestamptz,
        due_at     timestamptz,
        updated_at timestamptz NOT NULL,
        PRIMARY KEY (rule_id, group_key)
    )
    """,
    "CREATE INDEX alert_groups_due ON alert_groups (due_at) WHERE due_at IS NOT NULL",
    "CREATE INDEX alert_groups_by_age ON alert_groups (updated_at)",
    """
    CREATE TABLE deliveries (
        delivery_id      text PRIMARY KEY,
        seq              bigserial NOT NULL,
        rule_id          text,
        route_id         text NOT NULL,
        group_key        text NOT NULL,
        severity         text NOT NULL,
        is_test          boolean NOT NULL DEFAULT false,
        state            text NOT NULL DEFAULT 'queued'
            CHECK (state IN ('queued', 'sending', 'delivered', 'failed')),
        content          jsonb NOT NULL,
        moment_ids       text[] NOT NULL,
        created_at       timestamptz NOT NULL DEFAULT now(),
        next_at          timestamptz NOT NULL,
        attempts         integer NOT NULL DEFAULT 0,
        tries            integer NOT NULL DEFAULT 0,
        first_attempt_at timestamptz,
        done_at          timestamptz,
        reason           text
    )
    """,
    # Those that are not done, of a route in the order in which they were written, and of a group.
    "CREATE INDEX deliveries_waiting ON deliveries (route_id, next_at, seq)"
    " WHERE state IN ('queued', 'sending')",
    "CREATE INDEX deliveries_in_line ON deliveries (route_id, rule_id, group_key, seq)"
    " WHERE state IN ('queued', 'sending')",
    "CREATE INDEX deliveries_newest ON deliveries (created_at DESC, delivery_id)",
    "CREATE INDEX deliveries_by_state ON deliveries (state, created_at DESC, delivery_id)",
    "CREATE INDEX deliveries_by_moment ON deliveries USING gin (moment_ids)",
    "CREATE INDEX deliveries_done ON deliveries (done_at) WHERE done_at IS NOT NULL",
    """
    CREATE TABLE delivery_attempts (
        delivery_id text NOT NULL REFERENCES deliveries ON DELETE CASCADE,
        number      integer NOT NULL,
        route_id    text NOT NULL,
        started_at  timestamptz NOT NULL,
        ended_at    timestamptz,
        outcome     text,
        status      integer,
        detail      text,
        PRIMARY KEY (delivery_id, number)
    )
    """,
    "CREATE INDEX delivery_attempts_by_route ON delivery_attempts (route_id, started_at)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
