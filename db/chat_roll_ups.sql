-- use_custom_plans
-- A plan made for any hours would lock and look at every chunk there is.
SET LOCAL plan_cache_mode = force_custom_plan;

-- roll_up_chat_hours
-- Whole hours anew from their final minutes: a sum that is carried on would drift and could not be
-- revised. The span ($1, $2) is that of all hours given, so that the planner leaves every other
-- chunk alone. Nobody knows from minutes how many different people spoke in an hour: it keeps the
-- most of one minute. An hour never shrinks, not even when retention took minutes of it away.
WITH rolled AS (
    INSERT INTO chat_summary_hour AS hours (
        stream_id, window_start, window_end, minutes, chat_count, unique_chatters, top_emotes,
        emote_counts, avg_sentiment, chat_rate, watched_minutes, avg_viewers, peak_viewers, revision
    )
    SELECT
        t.stream_id, t.window_start, t.window_start + INTERVAL '1 hour', minutes, chat_count,
        unique_chatters, top_emotes, emote_counts, avg_sentiment, chat_count / (60.0 * minutes),
        watched_minutes, avg_viewers, peak_viewers, revision
    FROM unnest($3::timestamptz[], $4::text[]) AS t(window_start, stream_id)
    CROSS JOIN LATERAL (
        SELECT
            count(*) AS minutes, sum(chat_count)::bigint AS chat_count,
            max(unique_chatters) AS unique_chatters,
            sum(avg_sentiment * chat_count) / nullif(sum(chat_count), 0) AS avg_sentiment,
            count(avg_viewers) AS watched_minutes, avg(avg_viewers) AS avg_viewers,
            max(peak_viewers) AS peak_viewers, max(revision) AS revision
        FROM chat_summary_minute AS m
        WHERE m.stream_id = t.stream_id
          AND m.window_start >= t.window_start
          AND m.window_start < t.window_start + INTERVAL '1 hour'
          AND m.window_start >= $1 AND m.window_start < $2
          AND m.final
    ) AS sums
    CROSS JOIN LATERAL (
        SELECT
            coalesce(array_agg(emote ORDER BY uses DESC, emote COLLATE "C"), '{}') AS top_emotes,
            coalesce(jsonb_object_agg(emote, uses), '{}') AS emote_counts
        FROM (
            SELECT e.key AS emote, sum(e.value::bigint)::bigint AS uses
            FROM chat_summary_minute AS m, jsonb_each_text(m.emote_counts) AS e
            WHERE m.stream_id = t.stream_id
              AND m.window_start >= t.window_start
              AND m.window_start < t.window_start + INTERVAL '1 hour'
              AND m.window_start >= $1 AND m.window_start < $2
              AND m.final
            GROUP BY e.key
            ORDER BY uses DESC, e.key COLLATE "C"
            LIMIT 10
        ) AS best
    ) AS tops
    WHERE minutes > 0
    ON CONFLICT (stream_id, window_start) DO UPDATE
    SET minutes = excluded.minutes,
        chat_count = excluded.chat_count,
        unique_chatters = excluded.unique_chatters,
        top_emotes = excluded.top_emotes,
        emote_counts = excluded.emote_counts,
        avg_sentiment = excluded.avg_sentiment,
        chat_rate = excluded.chat_rate,
        watched_minutes = excluded.watched_minutes,
        avg_viewers = excluded.avg_viewers,
        peak_viewers = excluded.peak_viewers,
        revision = excluded.revision
    WHERE excluded.minutes >= hours.minutes
    RETURNING stream_id, window_start
)
SELECT DISTINCT stream_id, date_bin('24 hours', window_start, 'epoch') AS day_start
FROM rolled;

-- roll_up_chat_days
-- As above, from hours; its emotes are the sums of what the hours name.
INSERT INTO chat_summary_day AS days (
    stream_id, window_start, window_end, minutes, chat_count, unique_chatters, top_emotes,
    emote_counts, avg_sentiment, chat_rate, watched_minutes, avg_viewers, peak_viewers, revision
)
SELECT
    t.stream_id, t.window_start, t.window_start + INTERVAL '24 hours', minutes, chat_count,
    unique_chatters, top_emotes, emote_counts, avg_sentiment, chat_count / (60.0 * minutes),
    watched_minutes, avg_viewers, peak_viewers, revision
FROM unnest($3::timestamptz[], $4::text[]) AS t(window_start, stream_id)
CROSS JOIN LATERAL (
    SELECT
        sum(minutes) AS minutes, sum(chat_count)::bigint AS chat_count,
        max(unique_chatters) AS unique_chatters,
        sum(avg_sentiment * chat_count) / nullif(sum(chat_count), 0) AS avg_sentiment,
        sum(watched_minutes) AS watched_minutes,
        zero_if_tiny(sum(avg_viewers * watched_minutes)) / nullif(sum(watched_minutes), 0)
            AS avg_viewers,
        max(peak_viewers) AS peak_viewers, max(revision) AS revision
    FROM chat_summary_hour AS h
    WHERE h.stream_id = t.stream_id
      AND h.window_start >= t.window_start
      AND h.window_start < t.window_start + INTERVAL '24 hours'
      AND h.window_start >= $1 AND h.window_start < $2
) AS sums
CROSS JOIN LATERAL (
    SELECT
        coalesce(array_agg(emote ORDER BY uses DESC, emote COLLATE "C"), '{}') AS top_emotes,
        coalesce(jsonb_object_agg(emote, uses), '{}') AS emote_counts
    FROM (
        SELECT e.key AS emote, sum(e.value::bigint)::bigint AS uses
        FROM chat_summary_hour AS h, jsonb_each_text(h.emote_counts) AS e
        WHERE h.stream_id = t.stream_id
          AND h.window_start >= t.window_start
          AND h.window_start < t.window_start + INTERVAL '24 hours'
          AND h.window_start >= $1 AND h.window_start < $2
        GROUP BY e.key
        ORDER BY uses DESC, e.key COLLATE "C"
        LIMIT 10
    ) AS best
) AS tops
ON CONFLICT (stream_id, window_start) DO UPDATE
SET minutes = excluded.minutes,
    chat_count = excluded.chat_count,
    unique_chatters = excluded.unique_chatters,
    top_emotes = excluded.top_emotes,
    emote_counts = excluded.emote_counts,
    avg_sentiment = excluded.avg_sentiment,
    chat_rate = excluded.chat_rate,
    watched_minutes = excluded.watched_minutes,
    avg_viewers = excluded.avg_viewers,
    peak_viewers = excluded.peak_viewers,
    revision = excluded.revision
WHERE excluded.minutes >= days.minutes;
