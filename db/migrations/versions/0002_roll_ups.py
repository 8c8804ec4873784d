"""Roll-ups, minutes of transactions, percentiles, and entries that could not be read."""

from alembic import op

revision = "0002"
down_revision = "0001"

_CHAT_ROLL_UP = """
    CREATE TABLE {table} (
        stream_id       text NOT NULL,
        window_start    timestamptz NOT NULL,
        window_end      timestamptz NOT NULL,
        minutes         integer NOT NULL,
        chat_count      bigint NOT NULL,
        unique_chatters bigint NOT NULL,
        top_emotes      text[] NOT NULL,
        emote_counts    jsonb NOT NULL,
        avg_sentiment   double precision,
        chat_rate       double precision NOT NULL,
        watched_minutes integer NOT NULL,
        avg_viewers     double precision,
        peak_viewers    double precision,
        revision        bigint NOT NULL,
        PRIMARY KEY (stream_id, window_start)
    ) WITH (fillfactor = 70)
"""

_READING_ROLL_UP = """
    CREATE TABLE {table} (
        stream_id    text NOT NULL,
        channel      text NOT NULL,
        window_start timestamptz NOT NULL,
        window_end   timestamptz NOT NULL,
        minutes      integer NOT NULL,
        unit         text,
        count        bigint NOT NULL,
        mean         double precision NOT NULL,
        min          double precision NOT NULL,
        max          double precision NOT NULL,
        stddev       double precision NOT NULL,
        last         double precision NOT NULL,
        last_at      timestamptz NOT NULL,
        revision     bigint NOT NULL,
        PRIMARY KEY (stream_id, channel, window_start)
    ) WITH (fillfactor = 70)
"""

# A row is updated several times while its window runs: with room left on its page, the new version
# stays there and no index is touched. The setting holds for chunks made from now on.
_LEAVE_ROOM = "ALTER TABLE {table} SET (fillfactor = 70)"

_HYPERTABLE = "SELECT create_hypertable('{table}', by_range('window_start', INTERVAL '{span}'))"

STATEMENTS = (
    # The server refuses a product or a quotient that is too small for a double, and a sender may
    # send such values; 1e-140 is nothing in any unit.
    """
    CREATE FUNCTION zero_if_tiny(value double precision) RETURNS double precision
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE WHEN abs(value) < 1e-140 THEN 0 ELSE value END
    """,
    "ALTER TABLE reading_summary_minute"
    " ADD COLUMN p50 double precision, ADD COLUMN p95 double precision",
    _LEAVE_ROOM.format(table="chat_summary_minute"),
    _LEAVE_ROOM.format(table="reading_summary_minute"),
    """
    CREATE TABLE transaction_summary_minute (
        stream_id    text NOT NULL,
        kind         text NOT NULL,
        currency     text NOT NULL,
        window_start timestamptz NOT NULL,
        window_end   timestamptz NOT NULL,
        count        bigint NOT NULL,
        sum          double precision,
        revision     bigint NOT NULL,
        final        boolean NOT NULL,
        PRIMARY KEY (stream_id, kind, currency, window_start)
    ) WITH (fillfactor = 70)
    """,
    _HYPERTABLE.format(table="transaction_summary_minute", span="7 days"),
    _CHAT_ROLL_UP.format(table="chat_summary_hour"),
    _HYPERTABLE.format(table="chat_summary_hour", span="90 days"),
    _CHAT_ROLL_UP.format(table="chat_summary_day"),
    _HYPERTABLE.format(table="chat_summary_day", span="730 days"),
    _READING_ROLL_UP.format(table="reading_summary_hour"),
    _HYPERTABLE.format(table="reading_summary_hour", span="90 days"),
    _READING_ROLL_UP.format(table="reading_summary_day"),
    _HYPERTABLE.format(table="reading_summary_day", span="730 days"),
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
    "CREATE INDEX dead_letters_by_listing ON dead_letters (listed_at)",
    # Nothing ever listed one key twice; should a table hold two, their events belong together.
    """
    WITH listed AS (DELETE FROM late_events RETURNING *)
    INSERT INTO late_events (stream_id, window_start, type, events, batch_offset, listed_at)
    SELECT stream_id, window_start, type, sum(events), batch_offset, min(listed_at)
    FROM listed
    GROUP BY stream_id, window_start, type, batch_offset
    """,
    "ALTER TABLE late_events ADD COLUMN applied_at timestamptz,"
    " ADD PRIMARY KEY (stream_id, window_start, type, batch_offset)",
    "DROP INDEX late_events_by_stream",
    "CREATE INDEX late_events_by_listing ON late_events (listed_at)",
)


def upgrade() -> None:
    """Create the tables and roll up the minutes that are there."""
    for statement in STATEMENTS:
        op.execute(statement)
