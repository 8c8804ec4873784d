"""Tracers: the one that the settings choose, and most often none.

The SDK of OpenTelemetry is imported here, only when a collector is named: loading it takes longer
than all that a process without traces ever does for them.
"""

from typing import Literal

from core.settings import Settings
from core.traces import Tracer


def open_tracer(settings: Settings, process: Literal["api", "flow"]) -> Tracer | None:
    """Return what traces a process; None when nobody asked for it."""
    if settings.traces_endpoint is None:
        return None
    from streaming.traces.otlp import OtlpTracer  # noqa: PLC0415 (the reason is above)

    # Who appended an entry decided whether it is traced; the flow does as the entry says.
    sampler = settings.otel_traces_sampler if process == "api" else "parentbased_always_on"
    return OtlpTracer(
        settings.traces_endpoint, process, sampler=sampler, ratio=settings.otel_traces_sampler_arg
    )
