"""Stacks: everything that ``telemetra up`` starts, and in which order.

services ─► postgres ─► migrate ─┐
         └► redis ───────────────┼─► api ────┬─► simulator, device, connectors
page ────────────────────────────┘   flow    │
                                     archive │
                                     alerts  │
                     jobs    ┘
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from core.errors import ServiceMissingError
from core.settings import REPOSITORY, Settings
from infra.cli.addresses import choose_api_port, format_url
from infra.cli.connectors import read_connectors
from infra.cli.probes import (
    are_alerts_ready,
    are_jobs_ready,
    is_api_ready,
    is_archive_ready,
    is_flow_ready,
)
from infra.cli.steps import Steps
from infra.services.base import Service
from infra.services.discovery import find_services
from infra.supervisor.specs import ProcessFailedError, ProcessSpec
from infra.supervisor.supervisors import Supervisor

EXTERNAL_DEADLINE: Final = timedelta(seconds=15)
"""How long a service that somebody else runs may take to answer."""

EXTERNAL_POLL: Final = timedelta(milliseconds=200)

ALIVE_AFTER: Final = timedelta(seconds=0.5)
"""A process that answers nobody counts as ready when it has lived so long."""


DEMO_DEVICE: Final = ("--id", "climate_1", "--fault-every", "900")
"""Of the demo: a device on which something goes wrong now and then."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What to start beside the services and what always runs."""

    demo: bool = True
    page: bool = True


class Stack:
    """Starts everything under one supervisor."""

    def __init__(
        self, settings: Settings, options: StackOptions, supervisor: Supervisor, steps: Steps
    ) -> None:
        self._settings = settings
        self._options = options
        self._supervisor = supervisor
        self._steps = steps
        self._env: dict[str, str] = {}
        # A wrong name is told before anything starts.
        self._connectors = read_connectors(settings.connectors)

    async def start(self) -> None:
        """Return when all of it is ready.

        Raises:
            TelemetraError: Something did not come up; the text says what.
        """
        port = choose_api_port(self._settings)
        if self._settings.api_port not in {0, port}:
            taken = self._settings.api_port
            self._steps.note(f"Port {taken} is taken; the API will listen on {port}.")
        await run_together(self._prepare_database(port), self._build_page())
        api_url = self._supervisor.record.api_url
        await run_together(
            self._start("api", "api", lambda: is_api_ready(api_url)),
            self._start("flow", "streaming.flow", lambda: is_flow_ready(api_url)),
            self._start("archive", "streaming.archive", lambda: is_archive_ready(api_url)),
            self._start("alerts", "streaming.alerts", lambda: are_alerts_ready(api_url)),
            self._start("jobs", "streaming.jobs", lambda: are_jobs_ready(api_url)),
        )
        if self._options.demo:
            await self._start(
                "simulator", "streaming.simulator", _is_alive_a_while, "--url", api_url
            )
            await self._start(
                "device",
                "streaming.devices.simulated",
                _is_alive_a_while,
                *DEMO_DEVICE,
                "--url",
                api_url,
            )
        for each in self._connectors:
            await self._start(
                each.process, each.module, _is_alive_a_while, *each.arguments, "--url", api_url
            )

    async def _prepare_database(self, port: int) -> None:
        settings = self._settings
        with self._steps.step("Find TimescaleDB and Redis"):
            postgres, redis = await asyncio.to_thread(
                find_services,
                database_url=settings.external_database_url,
                redis_url=settings.redis_url,
                data_dir=settings.data_dir,
                report=self._steps.note,
            )
        await run_together(self._start_service(postgres), self._start_service(redis))
        self._supervisor.set_urls(
            api_url=format_url(settings.api_host, port),
            database_url=postgres.url,
            redis_url=redis.url,
        )
        self._env = {
            "DATABASE_URL": postgres.url,
            "REDIS_URL": redis.url,
            "API_HOST": settings.api_host,
            "API_PORT": str(port),
            "TELEMETRA_DATA_DIR": str(settings.data_dir),
            "PYTHONUNBUFFERED": "1",
            # Most frames are small: handing them to threads costs more than it gains. More
            # cores are used by more processes.
            "POLARS_MAX_THREADS": "1",
        }
        if settings.log_format == "auto":
            # Output goes to files, and warnings are found in JSON.
            self._env["LOG_FORMAT"] = "json"
        with self._steps.step("Migrate the database"):
            await self._supervisor.run_job(self._spec("migrate", "db.migrate", _is_alive_a_while))

    async def _start_service(self, service: Service) -> None:
        with self._steps.step(f"Start {service.name}"):
            await asyncio.to_thread(service.prepare)
            command = service.command()
            if command is None:
                self._supervisor.add_external(service.name, service.origin)
                await _wait_for_external(service)
                return
            spec = ProcessSpec(
                service.name,
                tuple(command),
                service.is_ready,
                stop_signal=service.stop_signal,
                # A server that is told to stop loses nothing and need not recover.
                death_signal=service.stop_signal,
                origin=service.origin,
            )
            await self._supervisor.start(spec)

    async def _build_page(self) -> None:
        """Build the web page; everything else works without it."""
        if not self._options.page:
            return
        try:
            with self._steps.step("Build the page"):
                await self._supervisor.run_job(
                    self._spec("page", "infra.page_build", _is_alive_a_while)
                )
        except ProcessFailedError as error:
            reason = error.last_lines[-1] if error.last_lines else error.detail
            self._steps.note(f"The page was not built, the API runs without it: {reason}")

    async def _start(
        self, name: str, module: str, ready: Callable[[], Awaitable[bool]], *arguments: str
    ) -> None:
        with self._steps.step(f"Start {name}"):
            await self._supervisor.start(self._spec(name, module, ready, *arguments))

    def _spec(
        self, name: str, module: str, ready: Callable[[], Awaitable[bool]], *arguments: str
    ) -> ProcessSpec:
        argv = (sys.executable, "-m", module, *arguments)
        return ProcessSpec(name, argv, ready, env=self._env, cwd=REPOSITORY)


async def run_together(*work: Coroutine[None, None, None]) -> None:
    """Run all at once; the first failure cancels the others and is raised by itself."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in work:
                group.create_task(part)
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None


async def _wait_for_external(service: Service) -> None:
    try:
        async with asyncio.timeout(EXTERNAL_DEADLINE.total_seconds()):
            while not await service.is_ready():  # noqa: ASYNC110 - a server elsewhere sets no event.
                await asyncio.sleep(EXTERNAL_POLL.total_seconds())
    except TimeoutError:
        raise ServiceMissingError(
            f"{service.name} ({service.origin}) did not answer within "
            f"{EXTERNAL_DEADLINE.total_seconds():g} s. Check that its URL is right and it runs."
        ) from None


async def _is_alive_a_while() -> bool:
    await asyncio.sleep(ALIVE_AFTER.total_seconds())
    return True
