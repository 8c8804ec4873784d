"""Platform, beside the streams: jobs, and devices with their commands."""

from dashboards.grafana.frames import Row
from dashboards.grafana.panels import bars, chart
from dashboards.grafana.queries import PromQL, quantile, rate


def jobs() -> Row:
    """Return how what takes long is worked off."""
    oldest = "max by (queue) (telemetra_jobs_oldest_seconds) or on() vector(0)"
    return "Jobs", (
        chart(
            "Waiting and running",
            "Jobs that nobody has begun, by queue, and those that run. Good: waiting comes back to"
            " 0.",
            PromQL(
                "max by (queue) (telemetra_jobs_waiting) or on() vector(0)",
                "waiting {{queue}}",
                ref_id="A",
            ),
            PromQL("sum(telemetra_jobs_running) or vector(0)", "running", ref_id="B"),
        ),
        chart(
            "Oldest, and workers silent",
            "How long the oldest job that is due waits, and since when no worker was heard. Good:"
            " seconds; ten minutes of the first are called degraded.",
            PromQL(oldest, "oldest {{queue}}", ref_id="A"),
            PromQL("max(telemetra_jobs_workers_silent_seconds)", "silent", ref_id="B"),
            unit="s",
        ),
        bars(
            "Tries",
            "Tries a second by what came of them, and jobs of workers that fell silent. Good: all"
            " done.",
            PromQL(rate("telemetra_jobs_finished_total", "outcome"), "{{outcome}}", ref_id="A"),
            PromQL(rate("telemetra_jobs_taken_up_total"), "taken up", ref_id="B"),
            unit="ops",
        ),
        chart(
            "Time of a try",
            "95 of 100 are faster. Good: far less than the audio lasts.",
            PromQL(
                f"{quantile(0.95, 'telemetra_job_seconds', 'job')} or on() vector(0)", "{{job}}"
            ),
            unit="s",
        ),
    )


def devices() -> Row:
    """Return how devices are heard and told."""
    ended = "succeeded|failed|timed_out|cancelled"
    return "Devices and commands", (
        chart(
            "Connected",
            "Devices that are connected, and those of them that are silent. Good: all that are"
            " switched on are connected, and none is stale.",
            PromQL(
                "sum by (state) (telemetra_device_links) or on() vector(0)",
                "{{state}}",
                ref_id="A",
            ),
            PromQL(
                rate("telemetra_device_links_refused_total", "code"),
                "refused or ended {{code}}",
                ref_id="B",
            ),
        ),
        bars(
            "Points",
            "Points a second of devices, by whether they were taken. Good: none refused.",
            PromQL(rate("telemetra_device_points_total", "result"), "{{result}}"),
            unit="ops",
        ),
        chart(
            "Points lost, and not told",
            "Points that could not be kept, and payloads that other processes were not told of."
            " Good: 0.",
            PromQL(rate("telemetra_device_points_lost_total", "writer"), "lost {{writer}}"),
            PromQL(rate("telemetra_device_news_untold_total"), "untold", ref_id="B"),
            unit="ops",
        ),
        bars(
            "Commands that ended",
            "Commands a second by how they ended, and what devices said that moved none. Good:"
            " succeeded.",
            PromQL(
                rate("telemetra_commands_moved_total", "state", where=f'state=~"{ended}"'),
                "{{state}}",
                ref_id="A",
            ),
            PromQL(
                rate("telemetra_commands_unmoved_total", "verdict"), "said {{verdict}}", ref_id="B"
            ),
            unit="ops",
        ),
    )
