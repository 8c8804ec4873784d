"""Metrics: every Prometheus metric of every process, named in one place.

A name is ``telemetra_`` + noun_verb_unit. ``docs/metrics.md`` lists the same names; a test holds
them together.
"""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Buckets for durations: from a cache hit to a request that should have been refused."""

requests_served_total = Counter(
    "telemetra_requests_served_total", "HTTP requests answered.", ("route", "method", "status")
)
requests_duration_seconds = Histogram(
    "telemetra_requests_duration_seconds", "Time to answer.", ("route",), buckets=SECONDS
)
events_accepted_total = Counter(
    "telemetra_events_accepted_total", "Events acknowledged on the bus.", ("type",)
)
events_rejected_total = Counter(
    "telemetra_events_rejected_total", "Events refused at a door.", ("reason",)
)
samples_skipped_total = Counter(
    "telemetra_samples_skipped_total",
    "Samples of other systems that hold no value: stale ends a series, empty is not a number,"
    " unrecorded is a gap that the sender tells of, text is no number.",
    ("door", "reason"),
)
api_bodies_held_bytes = Gauge(
    "telemetra_api_bodies_held_bytes", "Bytes of bodies that are read or checked right now."
)
bus_append_seconds = Histogram(
    "telemetra_bus_append_seconds", "Time until the bus has what a door appends.", buckets=SECONDS
)
bus_read_lag_seconds = Gauge(
    "telemetra_bus_read_lag_seconds",
    "How long what the flow reads next of a shard may have waited on the bus.",
    ("shard",),
)
cache_reads_total = Counter(
    "telemetra_cache_reads_total",
    "Look-ups of answers: memory and redis are hits, waited shared a load, away had no cache.",
    ("noun", "result"),
)
cache_stale_total = Counter(
    "telemetra_cache_stale_total", "Old answers served while the database was away.", ("noun",)
)
cache_bytes = Gauge("telemetra_cache_bytes", "Memory that answers take in the process, about.")
cache_answers_evicted_total = Counter(
    "telemetra_cache_answers_evicted_total", "Answers let go of because the memory was full."
)
cache_listening = Gauge(
    "telemetra_cache_listening", "1 while the process hears which answers become old."
)
database_connections_used = Gauge(
    "telemetra_database_connections_used", "Connections of the pool that are lent."
)
database_requests_waiting = Gauge(
    "telemetra_database_requests_waiting", "Requests that wait for a connection."
)
database_wait_seconds = Histogram(
    "telemetra_database_wait_seconds", "Time until a connection was lent.", buckets=SECONDS
)
database_requests_refused_total = Counter(
    "telemetra_database_requests_refused_total",
    "Requests that got no connection: full and slow are the queue, hanging the database.",
    ("reason",),
)
database_hanging = Gauge(
    "telemetra_database_hanging", "1 while the database takes questions and answers none."
)
queries_slow_total = Counter(
    "telemetra_queries_slow_total", "Statements slower than DB_SLOW_QUERY_MS.", ("query",)
)
keys_refused_total = Counter(
    "telemetra_keys_refused_total", "Requests and sockets turned away at the door.", ("status",)
)
rate_limits_skipped_total = Counter(
    "telemetra_rate_limits_skipped_total", "Requests let through uncounted: Redis was away."
)
live_connections = Gauge("telemetra_live_connections", "Open live connections.")
live_messages_sent_total = Counter(
    "telemetra_live_messages_sent_total", "Live messages handed to sockets."
)
live_messages_dropped_total = Counter(
    "telemetra_live_messages_dropped_total", "Live messages skipped for slow clients."
)
live_messages_replaced_total = Counter(
    "telemetra_live_messages_replaced_total", "Live messages that a newer one took the place of."
)
live_connections_refused_total = Counter(
    "telemetra_live_connections_refused_total", "Live connections refused: too many, or stopping."
)
live_connections_slow_total = Counter(
    "telemetra_live_connections_slow_total", "Live connections closed as too slow."
)
live_resumes_total = Counter(
    "telemetra_live_resumes_total",
    "Live clients that came back, by whether all they missed could be sent.",
    ("result",),
)
flow_events_applied_total = Counter(
    "telemetra_flow_events_applied_total", "Events committed to the database."
)
flow_events_late_total = Counter(
    "telemetra_flow_events_late_total", "Events later than the allowed lateness."
)
flow_dead_letters_total = Counter(
    "telemetra_flow_dead_letters_total", "Bus entries that hold no events, put aside."
)
flow_ids_unremembered_total = Counter(
    "telemetra_flow_ids_unremembered_total", "Ids of events whose repeats would not be seen."
)
flow_batches_skipped_total = Counter(
    "telemetra_flow_batches_skipped_total", "Batches that a replay offered a second time."
)
flow_commit_seconds = Histogram(
    "telemetra_flow_commit_seconds", "Time of one database transaction.", buckets=SECONDS
)
flow_lag_seconds = Gauge(
    "telemetra_flow_lag_seconds", "Age of the newest event applied, at its commit.", ("shard",)
)
flow_event_lag_seconds = Gauge(
    "telemetra_flow_event_lag_seconds",
    "Age of the newest event applied by its own clock, at its commit.",
    ("shard",),
)
flow_lag_usual_seconds = Gauge(
    "telemetra_flow_lag_usual_seconds", "Usual lag of the process, 0 while it is learned."
)
flow_lag_shifts_total = Counter(
    "telemetra_flow_lag_shifts_total",
    "Times that the usual lag has at least doubled (up) or halved (down).",
    ("direction",),
)
flow_commits_retried_total = Counter(
    "telemetra_flow_commits_retried_total", "Commits tried again because the database was away."
)
archive_events_written_total = Counter(
    "telemetra_archive_events_written_total", "Events that lie in the archive, synced to disk."
)
archive_bytes_written_total = Counter(
    "telemetra_archive_bytes_written_total", "Bytes of the archive's files."
)
archive_entries_skipped_total = Counter(
    "telemetra_archive_entries_skipped_total", "Bus entries that hold no readable events."
)
archive_rounds_failed_total = Counter(
    "telemetra_archive_rounds_failed_total", "Rounds tried again: the disk or the bus failed."
)
archive_troubled = Gauge(
    "telemetra_archive_troubled", "1 while the archive cannot write or cannot read the bus."
)
archive_lag_seconds = Gauge(
    "telemetra_archive_lag_seconds", "Age of the newest entry archived while more are waiting."
)
spans_sent_total = Counter("telemetra_spans_sent_total", "Spans that the collector took.")
spans_lost_total = Counter("telemetra_spans_lost_total", "Spans that the collector did not take.")
connector_connected = Gauge(
    "telemetra_connector_connected", "1 while the source of a connector answers.", ("connector",)
)
connector_events_read_total = Counter(
    "telemetra_connector_events_read_total", "Events that a source told.", ("connector",)
)
connector_messages_ignored_total = Counter(
    "telemetra_connector_messages_ignored_total",
    "Messages of a source that make no event.",
    ("connector", "kind"),
)
connector_events_waiting = Gauge(
    "telemetra_connector_events_waiting", "Events gathered for the next body.", ("connector",)
)
connector_events_accepted_total = Counter(
    "telemetra_connector_events_accepted_total", "Events that the API took.", ("connector",)
)
connector_events_refused_total = Counter(
    "telemetra_connector_events_refused_total", "Events that the API refused.", ("connector",)
)
connector_failures_total = Counter(
    "telemetra_connector_failures_total",
    "Times that a source could not be reached or hung up.",
    ("connector", "reason"),
)
connector_last_event_seconds = Gauge(
    "telemetra_connector_last_event_seconds",
    "When the source last told an event, in seconds since 1970.",
    ("connector",),
)
connector_lag_seconds = Gauge(
    "telemetra_connector_lag_seconds",
    "Age of the newest event by its own clock when the API had taken it.",
    ("connector",),
)
connector_backlog_messages = Gauge(
    "telemetra_connector_backlog_messages",
    "Messages of a part of the source that are not done with.",
    ("connector", "part"),
)
alert_changes_waiting = Gauge(
    "telemetra_alert_changes_waiting", "Changes of moments about which nobody has decided yet."
)
alert_changes_oldest_seconds = Gauge(
    "telemetra_alert_changes_oldest_seconds", "How long the oldest of them waits."
)
alert_deliveries_waiting = Gauge(
    "telemetra_alert_deliveries_waiting", "Alerts that are not delivered yet.", ("kind",)
)
alert_deliveries_oldest_seconds = Gauge(
    "telemetra_alert_deliveries_oldest_seconds",
    "How long the oldest of them waits, without those that wait for quiet hours to end.",
    ("kind",),
)
alert_deliveries_written_total = Counter(
    "telemetra_alert_deliveries_written_total", "Alerts that were decided, one for each route."
)
alert_attempts_total = Counter(
    "telemetra_alert_attempts_total",
    "Attempts to deliver an alert: delivered, retried because the receiver was away, slow or busy,"
    " or refused for good.",
    ("kind", "outcome"),
)
alert_deliveries_failed_total = Counter(
    "telemetra_alert_deliveries_failed_total", "Alerts that were given up.", ("kind",)
)
alert_attempt_seconds = Histogram(
    "telemetra_alert_attempt_seconds", "Time of an attempt.", ("kind",), buckets=SECONDS
)
device_links = Gauge(
    "telemetra_device_links", "Devices that are connected to this process.", ("state",)
)
device_links_refused_total = Counter(
    "telemetra_device_links_refused_total",
    "Connections of devices that were refused or ended, by the code of the close.",
    ("code",),
)
device_points_total = Counter(
    "telemetra_device_points_total", "Points of devices, taken or refused.", ("result",)
)
device_points_lost_total = Counter(
    "telemetra_device_points_lost_total",
    "Points that could not be kept while the database (log) or the bus (readings) was away.",
    ("writer",),
)
device_news_untold_total = Counter(
    "telemetra_device_news_untold_total",
    "Payloads that other processes were not told because Redis was away.",
)
commands_moved_total = Counter(
    "telemetra_commands_moved_total", "Commands that came to a state.", ("state",)
)
commands_unmoved_total = Counter(
    "telemetra_commands_unmoved_total",
    "What devices said of commands and moved none, by the reason.",
    ("verdict",),
)
script_runs_ended_total = Counter(
    "telemetra_script_runs_ended_total", "Runs of scripts that ended.", ("state",)
)
script_steps_ended_total = Counter(
    "telemetra_script_steps_ended_total",
    "Steps of scripts that this process saw end.",
    ("kind", "state"),
)
jobs_finished_total = Counter(
    "telemetra_jobs_finished_total",
    "Tries of jobs that ended: done, retried because something was away or failed, or cancelled.",
    ("job", "outcome"),
)
jobs_running = Gauge("telemetra_jobs_running", "Jobs that run in this process.", ("queue",))
jobs_waiting = Gauge("telemetra_jobs_waiting", "Jobs that wait, of all workers.", ("queue",))
jobs_oldest_seconds = Gauge(
    "telemetra_jobs_oldest_seconds", "How long the oldest job that is due waits.", ("queue",)
)
jobs_workers_silent_seconds = Gauge(
    "telemetra_jobs_workers_silent_seconds",
    "How long ago any worker last gave a sign of life.",
)
jobs_taken_up_total = Counter(
    "telemetra_jobs_taken_up_total", "Jobs of workers that fell silent, given to another."
)
job_seconds = Histogram(
    "telemetra_job_seconds",
    "Time of a try.",
    ("job",),
    buckets=(0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800),
)
stt_uploads_total = Counter(
    "telemetra_stt_uploads_total", "Uploads of audio: taken, repeated or refused.", ("result",)
)
stt_audio_seconds_total = Counter(
    "telemetra_stt_audio_seconds_total", "Seconds of audio that were transcribed."
)
stt_requests_retried_total = Counter(
    "telemetra_stt_requests_retried_total", "Requests to a transcriber that have to be repeated."
)
stt_files_swept_total = Counter(
    "telemetra_stt_files_swept_total", "Files of audio removed: too old, or of no task."
)
