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

_ROLL_UP_CHAT = """
    INSERT INTO {table} (
        stream_id, window_start, window_end, minutes, chat_count, unique_chatters, top_emotes,
        emote_counts, avg_sentiment, chat_rate, watched_minutes, avg_viewers, peak_viewers, revision
    )
    WITH parts AS (
        SELECT *, date_bin('{span}', window_start, 'epoch') AS span_start,
            {minutes} AS part_minutes, {watched} AS part_watched
        FROM {source}
    ),
    used AS (
        SELECT stream_id, span_start, e.key AS emote, sum(e.value::bigint)::bigint AS uses
        FROM parts, jsonb_each_text(emote_counts) AS e
        GROUP BY stream_id, span_start, e.key
    ),
    ranked AS (
        SELECT *, row_number() OVER (
            PARTITION BY stream_id, span_start ORDER BY uses DESC, emote COLLATE "C"
        ) AS place
        FROM used
    ),
    tops AS (
        SELECT stream_id, span_start, array_agg(emote ORDER BY place) AS top_emotes,
            jsonb_object_agg(emote, uses) AS emote_counts
        FROM ranked
        WHERE place <= 10
        GROUP BY stream_id, span_start
    ),
    sums AS (
        SELECT stream_id, span_start, sum(part_minutes) AS minutes,
            sum(chat_count)::bigint AS chat_count, max(unique_chatters) AS unique_chatters,
            sum(avg_sentiment * chat_count) / nullif(sum(chat_count), 0) AS avg_sentiment,
            sum(part_watched) AS watched_minutes,
            zero_if_tiny(sum(avg_viewers * part_watched)) / nullif(sum(part_watched), 0)
                AS avg_viewers,
            max(peak_viewers) AS peak_viewers, max(revision) AS revision
        FROM parts
        GROUP BY stream_id, span_start
    )
    SELECT stream_id, span_start, span_start + INTERVAL '{span}', minutes, chat_count,
        unique_chatters, coalesce(top_emotes, '{{}}'), coalesce(tops.emote_counts, '{{}}'),
        avg_sentiment, chat_count / (60.0 * minutes), watched_minutes, avg_viewers, peak_viewers,
        revision
    FROM sums LEFT JOIN tops USING (stream_id, span_start)
"""

_ROLL_UP_READINGS = """
    INSERT INTO {table} (
        stream_id, channel, window_start, window_end, minutes, unit, count, mean, min, max, stddev,
        last, last_at, revision
    )
    WITH parts AS (
        SELECT *, date_bin('{span}', window_start, 'epoch') AS span_start, {minutes} AS part_minutes
        FROM {source}
    ),
    means AS (
        SELECT stream_id, channel, span_start,
            zero_if_tiny(sum(mean * count)) / sum(count)::double precision AS pooled_mean
        FROM parts
        GROUP BY stream_id, channel, span_start
    ),
    sums AS (
        SELECT stream_id, channel, span_start, sum(part_minutes) AS minutes,
            last(unit, last_at) FILTER (WHERE unit IS NOT NULL) AS unit,
            sum(count)::bigint AS count, min(pooled_mean) AS pooled_mean, min(min) AS min,
            max(max) AS max,
            sum(zero_if_tiny(stddev) * zero_if_tiny(stddev) * (count - 1)
                + zero_if_tiny(mean - pooled_mean) * zero_if_tiny(mean - pooled_mean) * count
            ) AS squares,
            last(last, last_at) AS last, max(last_at) AS last_at, max(revision) AS revision
        FROM parts JOIN means USING (stream_id, channel, span_start)
        GROUP BY stream_id, channel, span_start
    )
    SELECT stream_id, channel, span_start, span_start + INTERVAL '{span}', minutes, unit, count,
        greatest(min, least(max, pooled_mean)), min, max,
        coalesce(sqrt(squares / nullif(count - 1, 0)), 0), last, last_at, revision
    FROM sums
"""

_OF_MINUTES = {
    "span": "1 hour",
    "minutes": "1",
    "watched": "(avg_viewers IS NOT NULL)::integer",
}
_OF_HOURS = {"span": "24 hours", "minutes": "minutes", "watched": "watched_minutes"}

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
    _ROLL_UP_CHAT.format(
        table="chat_summary_hour",
        source="(SELECT * FROM chat_summary_minute WHERE final) AS minutes",
        **_OF_MINUTES,
    ),
    _ROLL_UP_CHAT.format(table="chat_summary_day", source="chat_summary_hour", **_OF_HOURS),
    _ROLL_UP_READINGS.format(
        table="reading_summary_hour",
        source="(SELECT * FROM reading_summary_minute WHERE final) AS minutes",
        **_OF_MINUTES,
    ),
    _ROLL_UP_READINGS.format(
        table="reading_summary_day", source="reading_summary_hour", **_OF_HOURS
    ),
)


def upgrade() -> None:
    """Create the tables and roll up the minutes that are there."""
    for statement in STATEMENTS:
        op.execute(statement)
