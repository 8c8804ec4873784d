"""Platform, inside: flow, database, archive, alerts and connectors."""

from typing import Final

from dashboards.grafana.frames import Row
from dashboards.grafana.links import to_stream
from dashboards.grafana.panels import bars, chart, column, limits, listing, number, pick_column
from dashboards.grafana.queries import PromQL, Sql, load_panels, quantile, rate

SQL: Final = load_panels("platform")
COMMIT: Final = "telemetra_flow_commit_seconds"


def flow() -> Row:
    """Return how events become minutes."""
    return "Flow", (
        chart(
            "Lag",
            "From the bus to the commit: worst shard, mean of shards, and what is usual for this"
            " process, which is 0 until it is learned. Good: below a second.",
            PromQL("max(telemetra_flow_lag_seconds)", "worst shard", ref_id="A"),
            PromQL("avg(telemetra_flow_lag_seconds)", "mean", ref_id="B"),
            PromQL("max(telemetra_flow_lag_usual_seconds)", "usual", ref_id="C"),
            PromQL("max(telemetra_bus_read_lag_seconds)", "waits on the bus", ref_id="D"),
            unit="s",
        ),
        chart(
            "Lag by the clocks of senders",
            "Age of the newest event at its commit, by its own time: what senders and networks take"
            " is in it. Good: flat; hours are a sender that sends old events or has a wrong clock.",
            PromQL("max(telemetra_flow_event_lag_seconds)", "worst shard", ref_id="A"),
            PromQL("min(telemetra_flow_event_lag_seconds)", "best shard", ref_id="B"),
            unit="s",
        ),
        chart(
            "Time of a commit",
            "One transaction of all that changed. Good: 99 of 100 below 250 ms.",
            PromQL(quantile(0.5, COMMIT), "p50", ref_id="A"),
            PromQL(quantile(0.95, COMMIT), "p95", ref_id="B"),
            PromQL(quantile(0.99, COMMIT), "p99", ref_id="C"),
            unit="s",
        ),
        chart(
            "Events",
            "Accepted at the doors, applied in the database. Good: the same; late ones are 0.",
            PromQL(rate("telemetra_events_accepted_total"), "accepted", ref_id="A"),
            PromQL(rate("telemetra_flow_events_applied_total"), "applied", ref_id="B"),
            PromQL(rate("telemetra_flow_events_late_total"), "late", ref_id="C"),
            unit="eps",
        ),
        chart(
            "What should not happen",
            "Commits tried again, batches that a restart offered twice, entries that are no events,"
            " ids that were not remembered, shifts of the usual lag. Good: 0, but for a restart.",
            PromQL(rate("telemetra_flow_commits_retried_total"), "commits retried", ref_id="A"),
            PromQL(rate("telemetra_flow_batches_skipped_total"), "batches skipped", ref_id="B"),
            PromQL(rate("telemetra_flow_dead_letters_total"), "dead letters", ref_id="C"),
            PromQL(rate("telemetra_flow_ids_unremembered_total"), "ids forgotten", ref_id="D"),
            PromQL(
                rate("telemetra_flow_lag_shifts_total", "direction"),
                "lag {{direction}}",
                ref_id="E",
            ),
            unit="ops",
        ),
        listing(
            "Dead letters that wait",
            "Entries that could not be read and were not replayed since, by reason. Good: an empty"
            " table; the API shows each, and replays it after a fix.",
            Sql(SQL["dead_letters"], "table"),
        )
        .span(12)
        .height(8),
        to_stream(
            listing(
                "Late events",
                "Events of this time that came too late for their minute and are not counted yet."
                " Good: an empty table; telemetra replay --recompute counts them.",
                Sql(SQL["late_events"], "table"),
            )
        ),
    )


def database() -> Row:
    """Return how TimescaleDB does, seen from the API and from inside."""
    sessions = Sql(SQL["database_sessions"], "table")
    refused = "telemetra_database_requests_refused_total"
    return "Database", (
        number(
            "Size",
            "Bytes of the whole database. Good: grows as RETENTION_… lets it, and then stays.",
            Sql(SQL["database_size"], "table"),
            unit="bytes",
        ),
        pick_column(
            number(
                "Sessions",
                "Connections that the server has. Good: below 80 of the 100 that it takes.",
                sessions,
            ),
            "sessions",
        ).thresholds(limits(warn=80, bad=95)),
        pick_column(
            number(
                "Found in memory",
                "Share of blocks that were not read from disk since the server started. Good: above"
                " 99 %; less is too little memory for the chunks that are written.",
                sessions,
                unit="percentunit",
            ),
            "hits",
        ).thresholds(limits(warn=0.99, bad=0.9)),
        pick_column(
            number("Deadlocks", "Since the server's counters began. Good: 0.", sessions),
            "deadlocks",
        ).thresholds(limits(warn=1, bad=10)),
        number(
            "Slow statements",
            "Statements of this time slower than DB_SLOW_QUERY_MS. Good: 0.",
            PromQL("sum(increase(telemetra_queries_slow_total[$__range])) or vector(0)").now(),
        ).thresholds(limits(warn=1, bad=100)),
        number(
            "Refused",
            "Requests of this time that got no connection. Good: 0.",
            PromQL(f"sum(increase({refused}[$__range])) or vector(0)").now(),
        ).thresholds(limits(bad=1)),
        chart(
            "Connections of the pool",
            "Lent, and requests that wait for one. Good: nobody waits.",
            PromQL("sum(telemetra_database_connections_used)", "lent", ref_id="A"),
            PromQL("sum(telemetra_database_requests_waiting)", "waiting", ref_id="B"),
        ),
        chart(
            "Wait for a connection",
            "Good: 99 of 100 below 5 ms.",
            PromQL(quantile(0.5, "telemetra_database_wait_seconds"), "p50", ref_id="A"),
            PromQL(quantile(0.99, "telemetra_database_wait_seconds"), "p99", ref_id="B"),
            unit="s",
        ),
        chart(
            "Refused and slow",
            "Requests without a connection by reason, and slow statements by name. Good: 0.",
            PromQL(rate(refused, "reason"), "refused {{reason}}", ref_id="A"),
            PromQL(rate("telemetra_queries_slow_total", "query"), "slow {{query}}", ref_id="B"),
            unit="ops",
        ),
        listing(
            "Tables",
            "Hypertables by size on disk, indexes included, and about how many rows they have.",
            Sql(SQL["tables"], "table"),
        )
        .span(12)
        .height(8)
        .override_by_name("size", column(unit="bytes")),
    )


def archive() -> Row:
    """Return how the archive does."""
    return "Archive", (
        chart(
            "Written",
            "Events a second that lie in Parquet. Good: what is applied, in steps of a round.",
            PromQL(rate("telemetra_archive_events_written_total"), "events", ref_id="A"),
            unit="eps",
        ),
        chart(
            "Lag and trouble",
            "Age of the newest entry archived while more wait; trouble is 1 while it cannot write."
            " Good: below a minute, and 0.",
            PromQL("max(telemetra_archive_lag_seconds)", "lag", ref_id="A"),
            PromQL("max(telemetra_archive_troubled)", "trouble", ref_id="B"),
            unit="s",
        ),
        chart(
            "Bytes",
            "Bytes a second of its files. Good: some 20 bytes an event.",
            PromQL(rate("telemetra_archive_bytes_written_total"), "bytes"),
            unit="Bps",
        ),
        chart(
            "Rounds tried again, entries skipped",
            "Good: 0.",
            PromQL(rate("telemetra_archive_rounds_failed_total"), "rounds", ref_id="A"),
            PromQL(rate("telemetra_archive_entries_skipped_total"), "entries", ref_id="B"),
            unit="ops",
        ),
    )


def alerts() -> Row:
    """Return how people are told."""
    return "Alerts", (
        chart(
            "Waiting",
            "Changes of moments about which nobody has decided, and alerts that are not delivered,"
            " by kind of route. Good: near 0.",
            PromQL("sum(telemetra_alert_changes_waiting)", "changes", ref_id="A"),
            PromQL(
                "sum by (kind) (telemetra_alert_deliveries_waiting) or on() vector(0)",
                "deliveries {{kind}}",
                ref_id="B",
            ),
        ),
        chart(
            "Oldest",
            "How long the oldest of them waits. Good: seconds; minutes: a receiver is away.",
            PromQL("max(telemetra_alert_changes_oldest_seconds)", "changes", ref_id="A"),
            PromQL(
                "max by (kind) (telemetra_alert_deliveries_oldest_seconds) or on() vector(0)",
                "deliveries {{kind}}",
                ref_id="B",
            ),
            unit="s",
        ),
        chart(
            "Attempts",
            "Attempts a second by what came of them, and alerts given up. Good: all delivered;"
            " those given up are 0.",
            PromQL(rate("telemetra_alert_attempts_total", "outcome"), "{{outcome}}", ref_id="A"),
            PromQL(rate("telemetra_alert_deliveries_failed_total"), "given up", ref_id="B"),
            PromQL(rate("telemetra_alert_deliveries_written_total"), "decided", ref_id="C"),
            unit="ops",
        ),
        chart(
            "Time of an attempt",
            "95 of 100 are faster. Good: below a second.",
            PromQL(
                f"{quantile(0.95, 'telemetra_alert_attempt_seconds', 'kind')} or on() vector(0)",
                "{{kind}}",
            ),
            unit="s",
        ),
        bars(
            "Deliveries",
            "Alerts that were decided in this time, by what became of them. Good: delivered.",
            Sql(SQL["deliveries"]),
        )
        .span(24)
        .interval("1m"),
    )


def connectors() -> Row:
    """Return how sources are read; 0 without a name means that no connector runs."""
    accepted, refused = "events_accepted_total", "events_refused_total"
    return "Connectors", (
        chart(
            "Connected",
            "1 while the source of a connector answers. Good: 1; 0 without a name means that none"
            " runs.",
            PromQL(_each("connected"), "{{connector}}"),
        )
        .min(0)
        .max(1),
        chart(
            "Events",
            "Read from the source, taken and refused by the API. Good: what is read is taken.",
            PromQL(_rate("events_read_total"), "{{connector}} read", ref_id="A"),
            PromQL(_rate(accepted), "{{connector}} taken", ref_id="B"),
            PromQL(_rate(refused), "{{connector}} refused", ref_id="C"),
            unit="eps",
        ),
        chart(
            "Lag",
            "Age of the newest event by its own clock when the API had taken it. Good: seconds.",
            PromQL(_each("lag_seconds"), "{{connector}}"),
            unit="s",
        ),
        chart(
            "Waiting, and failures",
            "Events gathered for the next body, messages of the source that are not done with, and"
            " times that it hung up. Good: near 0.",
            PromQL(_each("events_waiting"), "{{connector}} gathered", ref_id="A"),
            PromQL(_each("backlog_messages"), "{{connector}} backlog", ref_id="B"),
            PromQL(_rate("failures_total"), "{{connector}} failures", ref_id="C"),
        ),
    )


def _each(metric: str) -> str:
    return f"max by (connector) (telemetra_connector_{metric}) or on() vector(0)"


def _rate(metric: str) -> str:
    return rate(f"telemetra_connector_{metric}", "connector")
