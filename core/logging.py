"""Logging: structlog, a console for people and JSON for machines.

Called once by each process before anything else. A log event is a constant ``noun_verb``; facts
are keywords. The request id and the process name are bound to the context and stand in every line.
"""

import logging
import sys

import structlog


def configure_logging(process: str, *, level: str, as_json: bool | None) -> None:
    """Send structlog and the standard library's loggers to stderr in one format.

    Args:
        process: Name that stands in every line.
        level: Least level that is logged.
        as_json: Lines for machines; None leaves it to whether stderr is a terminal.
    """
    if as_json is None:
        as_json = not sys.stderr.isatty()
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    tail: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, renderer] if as_json else [renderer]
    )
    structlog.configure(
        processors=[*shared, *tail],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(process=process)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *tail],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
