"""``telemetra doctor``: check this machine and the installation, and say what to mend."""

import asyncio
from typing import Final

import typer

from core.settings import Settings, load_settings
from infra.cli.checks import (
    Finding,
    check_disk,
    check_installation,
    check_memory,
    check_page,
    check_port,
    check_python,
    has_failed,
)
from infra.cli.service_checks import check_origins, check_running
from infra.supervisor.states import find_running

app = typer.Typer(rich_markup_mode=None)

COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@app.command()
def doctor() -> None:
    """Check this machine and say what to mend; exit code 1 when something must be.

    Example: telemetra doctor
    """
    findings = _examine(load_settings())
    for finding in findings:
        level = typer.style(f"{finding.level:<5}", fg=COLOURS[finding.level])
        advice = f"  -> {finding.advice}" if finding.advice else ""
        typer.echo(f"{level}{finding.text}{advice}")
    if has_failed(findings):
        raise typer.Exit(1)


def _examine(settings: Settings) -> list[Finding]:
    record = find_running(settings.data_dir)
    return [
        check_python(),
        check_disk(settings.data_dir),
        check_memory(),
        check_installation(),
        check_page(),
        check_port(settings, is_ours=record is not None),
        *check_origins(settings),
        *asyncio.run(check_running(settings, record)),
    ]
