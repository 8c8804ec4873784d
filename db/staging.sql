-- use_custom_plans
-- Staged tables differ in size from commit to commit; a plan made for ten rows must not serve
-- fifty thousand.
SET plan_cache_mode = force_custom_plan;

-- create_staged_streams
CREATE TEMP TABLE IF NOT EXISTS staged_streams (
    stream_id     text NOT NULL,
    title         text,
    last_event_at timestamptz
) ON COMMIT DELETE ROWS;

-- create_staged_chat
CREATE TEMP TABLE IF NOT EXISTS staged_chat (LIKE chat_summary_minute) ON COMMIT DELETE ROWS;

-- create_staged_readings
CREATE TEMP TABLE IF NOT EXISTS staged_readings (LIKE reading_summary_minute)
ON COMMIT DELETE ROWS;

-- create_staged_transactions
CREATE TEMP TABLE IF NOT EXISTS staged_transactions (LIKE transaction_summary_minute)
ON COMMIT DELETE ROWS;

-- create_staged_late
CREATE TEMP TABLE IF NOT EXISTS staged_late (
    stream_id    text NOT NULL,
    window_start timestamptz NOT NULL,
    type         text NOT NULL,
    events       bigint NOT NULL,
    batch_offset bigint NOT NULL
) ON COMMIT DELETE ROWS;

-- create_touched_chat_hours
CREATE TEMP TABLE IF NOT EXISTS touched_chat_hours (
    stream_id    text NOT NULL,
    window_start timestamptz NOT NULL
) ON COMMIT DELETE ROWS;

-- create_touched_chat_days
CREATE TEMP TABLE IF NOT EXISTS touched_chat_days (LIKE touched_chat_hours)
ON COMMIT DELETE ROWS;

-- create_touched_reading_hours
CREATE TEMP TABLE IF NOT EXISTS touched_reading_hours (
    stream_id    text NOT NULL,
    channel      text NOT NULL,
    window_start timestamptz NOT NULL
) ON COMMIT DELETE ROWS;

-- create_touched_reading_days
CREATE TEMP TABLE IF NOT EXISTS touched_reading_days (LIKE touched_reading_hours)
ON COMMIT DELETE ROWS;
