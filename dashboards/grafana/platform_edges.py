"""Platform, where others meet it: requests, doors for events, cached answers, live clients."""

from typing import Final

from dashboards.grafana.frames import Row
from dashboards.grafana.panels import bars, chart
from dashboards.grafana.queries import PromQL, of_api, quantile, rate

SERVED: Final = "telemetra_requests_served_total"
DURATION: Final = "telemetra_requests_duration_seconds"
PROBES: Final = 'route!~"/health|/livez|/readyz|/metrics"'
"""Most requests of an idle API; they would hide everything else."""


def requests() -> Row:
    """Return what callers of the API see."""
    return "API", (
        bars(
            "Requests",
            "Answered requests a second by status, without probes. Good: 2xx and 304; 4xx are"
            " callers at fault, 5xx is us.",
            PromQL(rate(SERVED, "status", where=PROBES), "{{status}}"),
            unit="reqps",
        ),
        chart(
            "Time to answer",
            "Good: half below 10 ms and 99 of 100 below 250 ms.",
            PromQL(quantile(0.5, DURATION, where=PROBES), "p50", ref_id="A"),
            PromQL(quantile(0.95, DURATION, where=PROBES), "p95", ref_id="B"),
            PromQL(quantile(0.99, DURATION, where=PROBES), "p99", ref_id="C"),
            unit="s",
        ),
        chart(
            "Slowest routes",
            "95 of 100 requests of each of these routes are faster. Good: below 250 ms.",
            PromQL(f"topk(8, {quantile(0.95, DURATION, 'route', where=PROBES)})", "{{route}}"),
            unit="s",
        ),
        chart(
            "Turned away",
            "Requests without a good key, by status, and requests that nobody counted against their"
            " limit because Redis was away. Good: 0.",
            PromQL(rate("telemetra_keys_refused_total", "status"), "refused {{status}}"),
            PromQL(rate("telemetra_rate_limits_skipped_total"), "uncounted", ref_id="B"),
            unit="reqps",
        ),
    )


def doors() -> Row:
    """Return what comes in."""
    return "Doors and bus", (
        bars(
            "Events accepted",
            "Events a second that are on the bus, by type. Good: what senders send.",
            PromQL(rate("telemetra_events_accepted_total", "type"), "{{type}}"),
            unit="eps",
        ),
        bars(
            "Events refused",
            "Events a second that a door refused, by reason, and samples without a value. Good: 0.",
            PromQL(rate("telemetra_events_rejected_total", "reason"), "{{reason}}"),
            PromQL(
                rate("telemetra_samples_skipped_total", "door", "reason"),
                "skipped {{door}} {{reason}}",
                ref_id="B",
            ),
            unit="eps",
        ),
        chart(
            "Time to append",
            "Until the bus has what a request appends, on disk. Good: 99 of 100 below 25 ms.",
            PromQL(quantile(0.5, "telemetra_bus_append_seconds"), "p50", ref_id="A"),
            PromQL(quantile(0.99, "telemetra_bus_append_seconds"), "p99", ref_id="B"),
            unit="s",
        ),
        chart(
            "Bodies held",
            "Bytes of bodies that are read or checked. Good: far below INGEST_HELD_MAX_MB, at which"
            " senders are told to come again.",
            PromQL(of_api("telemetra_api_bodies_held_bytes"), "{{instance}}"),
            unit="bytes",
        ),
    )


def cache() -> Row:
    """Return how answers are come by."""
    reads = "telemetra_cache_reads_total"
    hits = f'sum (rate({reads}{{result=~"memory|redis|waited"}}[$__rate_interval]))'
    every = f"clamp_min(sum (rate({reads}[$__rate_interval])), 1e-9)"
    return "Cache", (
        chart(
            "Answers that were at hand",
            "Share of look-ups that did not go to the database. Good: above 80 % while people"
            " look; every commit makes answers old, so that it is not 100 %.",
            PromQL(f"({hits} or vector(0)) / {every} or vector(0)", "at hand"),
            unit="percentunit",
        )
        .min(0)
        .max(1),
        bars(
            "Look-ups",
            "Look-ups a second by where the answer came from. Good: memory first; away means that"
            " Redis does not answer.",
            PromQL(rate(reads, "result"), "{{result}}"),
            unit="ops",
        ),
        chart(
            "Memory of answers",
            "Good: flat; answers are let go of at its limit.",
            PromQL(of_api("telemetra_cache_bytes"), "{{instance}}"),
            unit="bytes",
        ),
        chart(
            "Evicted, old, and heard",
            "Answers let go of, and old ones served while the database was away: good is 0."
            " Listening: 1 in each process, or answers are compared in Redis.",
            PromQL(rate("telemetra_cache_answers_evicted_total"), "evicted"),
            PromQL(rate("telemetra_cache_stale_total", "noun"), "old {{noun}}", ref_id="B"),
            PromQL(f"min({of_api('telemetra_cache_listening')})", "listening", ref_id="C"),
        ),
    )


def live() -> Row:
    """Return what is pushed."""
    sent = "telemetra_live_messages"
    return "Live", (
        chart(
            "Connections",
            "Open sockets and event streams. Good: as many as there are people and screens.",
            PromQL(of_api("telemetra_live_connections"), "{{instance}}"),
        ),
        chart(
            "Messages",
            "Messages a second. Replaced: a newer one took its place, as it should. Dropped: good"
            " is 0; one slow client is its network, many are an API without time.",
            PromQL(rate(f"{sent}_sent_total"), "sent", ref_id="A"),
            PromQL(rate(f"{sent}_replaced_total"), "replaced", ref_id="B"),
            PromQL(rate(f"{sent}_dropped_total"), "dropped", ref_id="C"),
            unit="mps",
        ),
        chart(
            "Connections refused and cut",
            "Too many, or too slow. Good: 0.",
            PromQL(rate("telemetra_live_connections_refused_total"), "refused", ref_id="A"),
            PromQL(rate("telemetra_live_connections_slow_total"), "too slow", ref_id="B"),
            unit="ops",
        ),
        chart(
            "Clients that came back",
            "By whether all that they missed could be sent. Good: all of them complete.",
            PromQL(rate("telemetra_live_resumes_total", "result"), "{{result}}"),
            unit="ops",
        ),
    )
