"""Streams, minutes, raw points, moments, and what the flow has applied."""

from alembic import op

revision = "0001"
down_revision = None

STATEMENTS = (
    "CREATE EXTENSION IF NOT EXISTS timescaledb",
    """
    CREATE TABLE streams (
        stream_id     text PRIMARY KEY,
        title         text,
        kind          text NOT NULL DEFAULT 'stream',
        created_at    timestamptz NOT NULL DEFAULT now(),
        updated_at    timestamptz NOT NULL DEFAULT now(),
        last_event_at timestamptz,
        metadata      jsonb NOT NULL DEFAULT '{}'
    )
    """,
    """
    CREATE TABLE chat_summary_minute (
        stream_id       text NOT NULL,
        window_start    timestamptz NOT NULL,
        window_end      timestamptz NOT NULL,
        chat_count      bigint NOT NULL,
        unique_chatters bigint NOT NULL,
        top_emotes      text[] NOT NULL,
        emote_counts    jsonb NOT NULL,
        avg_sentiment   double precision,
        chat_rate       double precision NOT NULL,
        avg_viewers     double precision,
        peak_viewers    double precision,
        z_score         double precision,
        is_anomaly      boolean NOT NULL,
        revision        bigint NOT NULL,
        final           boolean NOT NULL,
        PRIMARY KEY (stream_id, window_start)
    )
    """,
    "SELECT create_hypertable('chat_summary_minute', by_range('window_start', INTERVAL '7 days'))",
    """
    CREATE TABLE reading_summary_minute (
        stream_id    text NOT NULL,
        channel      text NOT NULL,
        window_start timestamptz NOT NULL,
        window_end   timestamptz NOT NULL,
        unit         text,
        count        bigint NOT NULL,
        mean         double precision NOT NULL,
        min          double precision NOT NULL,
        max          double precision NOT NULL,
        stddev       double precision NOT NULL,
        last         double precision NOT NULL,
        last_at      timestamptz NOT NULL,
        z_score      double precision,
        is_anomaly   boolean NOT NULL,
        revision     bigint NOT NULL,
        final        boolean NOT NULL,
        PRIMARY KEY (stream_id, channel, window_start)
    )
    """,
    "SELECT create_hypertable('reading_summary_minute',"
    " by_range('window_start', INTERVAL '7 days'))",
    """
    CREATE TABLE viewer_timeseries (
        stream_id text NOT NULL,
        timestamp timestamptz NOT NULL,
        viewers   double precision NOT NULL
    )
    """,
    "SELECT create_hypertable('viewer_timeseries', by_range('timestamp', INTERVAL '1 day'),"
    " create_default_indexes => false)",
    "CREATE INDEX viewer_timeseries_by_stream ON viewer_timeseries (stream_id, timestamp DESC)",
    """
    CREATE TABLE readings (
        stream_id text NOT NULL,
        channel   text NOT NULL,
        timestamp timestamptz NOT NULL,
        value     double precision NOT NULL,
        unit      text
    )
    """,
    "SELECT create_hypertable('readings', by_range('timestamp', INTERVAL '1 day'),"
    " create_default_indexes => false)",
    "CREATE INDEX readings_by_channel ON readings (stream_id, channel, timestamp DESC)",
    """
    CREATE TABLE transactions (
        stream_id text NOT NULL,
        timestamp timestamptz NOT NULL,
        kind      text NOT NULL,
        amount    double precision,
        currency  text,
        user_name text
    )
    """,
    "SELECT create_hypertable('transactions', by_range('timestamp', INTERVAL '1 day'),"
    " create_default_indexes => false)",
    "CREATE INDEX transactions_by_stream ON transactions (stream_id, timestamp DESC)",
    """
    CREATE TABLE moments (
        moment_id    text NOT NULL,
        timestamp    timestamptz NOT NULL,
        stream_id    text NOT NULL,
        started_at   timestamptz NOT NULL,
        peak_at      timestamptz NOT NULL,
        ended_at     timestamptz,
        moment_type  text NOT NULL,
        metric_name  text NOT NULL,
        metric_value double precision NOT NULL,
        expected     double precision NOT NULL,
        threshold    double precision NOT NULL,
        z_score      double precision NOT NULL,
        score        double precision NOT NULL,
        direction    text NOT NULL CHECK (direction IN ('up', 'down')),
        state        text NOT NULL
            CHECK (state IN ('open', 'acknowledged', 'shelved', 'resolved')),
        description  text NOT NULL,
        reasons      jsonb NOT NULL DEFAULT '[]',
        metadata     jsonb NOT NULL DEFAULT '{}',
        revision     bigint NOT NULL,
        PRIMARY KEY (moment_id, timestamp)
    )
    """,
    "SELECT create_hypertable('moments', by_range('timestamp', INTERVAL '30 days'))",
    "CREATE INDEX moments_by_stream ON moments (stream_id, timestamp DESC)",
    "CREATE INDEX moments_unresolved ON moments (timestamp DESC) WHERE state <> 'resolved'",
    """
    CREATE TABLE source_offsets (
        shard          integer PRIMARY KEY,
        applied_offset bigint NOT NULL,
        applied_at     timestamptz NOT NULL DEFAULT now()
    )
    """,
    """
    CREATE TABLE late_events (
        stream_id    text NOT NULL,
        window_start timestamptz NOT NULL,
        type         text NOT NULL,
        events       bigint NOT NULL,
        batch_offset bigint NOT NULL,
        listed_at    timestamptz NOT NULL DEFAULT now()
    )
    """,
    "CREATE INDEX late_events_by_stream ON late_events (stream_id, window_start)",
)


def upgrade() -> None:
    """Create the tables."""
    for statement in STATEMENTS:
        op.execute(statement)
