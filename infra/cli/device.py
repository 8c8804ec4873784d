"""``telemetra device …``: see devices, send them commands, run scripts on them, be one.

It asks the API that runs here, or the one of ``--url``, as any other client would. ``simulate`` and
``mqtt`` become a process that is a device.
"""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer
from rich.console import Console

from core.clock import SystemClock
from core.commands import State
from core.errors import TelemetraError
from core.script_runs import Outcome, RunState
from core.settings import load_settings
from infra.cli.api_calls import ApiCaller, open_api
from infra.cli.connect import OWN_HELP
from infra.cli.device_calls import LISTED_MAX, DeviceCaller, read_parameters
from infra.cli.device_links import DeviceLink
from infra.cli.device_scripts import DeviceScript, load_script
from infra.cli.device_tables import (
    print_devices,
    write_line,
    write_outcome,
    write_run,
    write_show,
    write_step,
)
from infra.cli.processes import become
from infra.cli.server_scripts import ServerScript
from infra.cli.spans import read_ago
from infra.supervisor.states import find_running

app = typer.Typer(rich_markup_mode=None)
device = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
app.add_typer(device, name="device")

INTERRUPTED: Final = 130

PROCESSES: Final = {
    "simulate": ("streaming.devices.simulated", "Be a simulated climate chamber, with faults."),
    "mqtt": ("streaming.devices.mqtt", "Be the bridge to a device that speaks MQTT."),
}

DeviceId = Annotated[str, typer.Argument(metavar="DEVICE", help="The id of a device.")]
Url = Annotated[str | None, typer.Option(help="The API (the one that runs here).")]
Key = Annotated[
    str | None, typer.Option(help="For an API that asks for one (API_KEY).", metavar="KEY")
]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]


@device.callback()
def describe() -> None:
    """See devices, send them commands, run scripts on them, be one.

    Example: telemetra device send climate_1 set_update_interval interval=0.5
    """


@device.command("list")
def list_devices(*, url: Url = None, api_key: Key = None, json: Json = False) -> None:
    """List devices and whether they are there.

    Example: telemetra device list
    """
    with _open(url, api_key) as api:
        rows = api.get("/devices", {"limit": LISTED_MAX})["data"]
    if json:
        _print_json(rows)
    elif rows:
        print_devices(Console(), rows)
    else:
        typer.echo("No devices. `telemetra device simulate` is one.")


@device.command()
def show(device_id: DeviceId, *, url: Url = None, api_key: Key = None, json: Json = False) -> None:
    """Show what a device measures and what it can do.

    Example: telemetra device show climate_1
    """
    with _open(url, api_key) as api:
        calls = DeviceCaller(api, device_id)
        told = calls.get() | {
            "telemetry_types": calls.list_types(),
            "command_templates": calls.list_templates(),
        }
    if json:
        _print_json(told)
        return
    for line in write_show(told):
        typer.echo(line)


@device.command()
def send(  # noqa: PLR0913 - each is an option of its own.
    device_id: DeviceId,
    command: Annotated[str, typer.Argument(help="What to do; `device show` lists it.")],
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME=VALUE]...", help="Its parameters.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Confirm a dangerous one.")] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for its end.")] = False,
    url: Url = None,
    api_key: Key = None,
    json: Json = False,
) -> None:
    """Send a command and wait for its end; exit code 1 unless it succeeds. Ctrl-C cancels it.

    Example: telemetra device send climate_1 calibrate_sensors duration=3
    """
    with _open(url, api_key) as api:
        calls = DeviceCaller(api, device_id)
        template = calls.list_templates().get(command)
        row = calls.send(command, read_parameters(parameters or [], template))
        if (held := row.get("confirmation")) is not None:
            if not yes:
                calls.cancel(row["command_id"])
                raise TelemetraError(f"{command} is dangerous: --yes to do it. It was cancelled.")
            row = calls.confirm(row["command_id"], held["token"])
        if not no_wait:
            row = _wait(calls, row["command_id"])
    if json:
        _print_json(row)
    else:
        said = f": {row['message']}" if row["message"] else ""
        typer.echo(f"{row['command_id']} {row['state']}{said}")
        if row["details"]:
            _print_json(row["details"])
    if not no_wait and row["state"] != State.SUCCEEDED:
        raise typer.Exit(1)


@device.command()
def history(  # noqa: PLR0913 - each is an option of its own.
    device_id: DeviceId,
    *,
    kind: Annotated[
        str | None, typer.Option("--type", help="data, command_result, device_message, …")
    ] = None,
    name: Annotated[str | None, typer.Option("--id", help="Of what is measured.")] = None,
    since: Annotated[str | None, typer.Option(help="As 2h, 30m or a time.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX)] = 50,
    url: Url = None,
    api_key: Key = None,
    json: Json = False,
) -> None:
    """Print the log of a device, oldest line first.

    Example: telemetra device history climate_1 --type command_result --since 2h
    """
    asked: dict[str, str | int] = {"limit": limit}
    asked |= {key: text for key, text in {"type": kind, "id": name}.items() if text is not None}
    if since is not None:
        asked["since"] = read_ago(since, SystemClock().now()).isoformat()
    with _open(url, api_key) as api:
        rows = DeviceCaller(api, device_id).read_history(asked)
    for row in reversed(rows):
        typer.echo(orjson.dumps(row).decode() if json else write_line(row))


@device.command()
def watch(device_id: DeviceId, *, url: Url = None, api_key: Key = None, json: Json = False) -> None:
    """Print what a device tells as it happens, until Ctrl-C.

    Example: telemetra device watch climate_1
    """
    with _open(url, api_key) as api:
        DeviceCaller(api, device_id).get()
        try:
            for message in DeviceLink(api, device_id).listen():
                if message is None:
                    continue
                line = orjson.dumps(message).decode() if json else write_line(message)
                if line:
                    typer.echo(line)
        except BrokenPipeError:
            # Who reads has enough, as `head` has; there is nowhere left to say it.
            sys.stderr.close()
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None


@device.command()
def run(  # noqa: PLR0913 - each is an option of its own.
    script: Annotated[Path, typer.Argument(metavar="SCRIPT.yaml", help="What to do.")],
    *,
    device_id: Annotated[str, typer.Option("--device", help="The id of a device.")],
    server: Annotated[bool, typer.Option("--server", help="Let the server run it.")] = False,
    detach: Annotated[
        bool, typer.Option("--detach", help="Leave it to the server, and do not wait.")
    ] = False,
    url: Url = None,
    api_key: Key = None,
    json: Json = False,
) -> None:
    """Run a script on a device: commands, waits for what it measures, pauses.

    Exit code 1 when a step fails. Ctrl-C cancels the command under way and ends it. With --server
    it goes on whatever becomes of this machine; `device scripts` lists what was run so.

    Example: telemetra device run warm-up.yaml --device oven_1
    """
    loaded, text = load_script(script)

    def show_outcome(outcome: Outcome) -> None:
        typer.echo(write_outcome(outcome, len(loaded.steps), as_json=json))

    def say(line: str) -> None:
        typer.echo(line, err=True)

    def show_step(step: Mapping[str, Any]) -> None:
        typer.echo(write_step(step, len(loaded.steps), as_json=json))

    with _open(url, api_key) as api:
        calls = DeviceCaller(api, device_id)
        if detach:
            typer.echo(ServerScript(calls, text, say).run_id)
            return
        if server:
            state = ServerScript(calls, text, say).follow(show_step)
        else:
            state = DeviceScript(calls, loaded, SystemClock(), say).run(show_outcome)
    if state is not RunState.SUCCEEDED:
        raise typer.Exit(INTERRUPTED if state is RunState.ABORTED else 1)


@device.command()
def scripts(
    device_id: DeviceId,
    *,
    limit: Annotated[int, typer.Option(min=1, max=LISTED_MAX)] = 20,
    url: Url = None,
    api_key: Key = None,
    json: Json = False,
) -> None:
    """List the scripts that the server ran or runs on a device, newest first.

    Example: telemetra device scripts oven_1
    """
    with _open(url, api_key) as api:
        rows = DeviceCaller(api, device_id).list_script_runs(limit)
    if json:
        _print_json(rows)
        return
    for row in rows:
        typer.echo(write_run(row))


@device.command()
def abort(
    device_id: DeviceId,
    run_id: Annotated[str, typer.Argument(metavar="RUN", help="`device scripts` lists them.")],
    *,
    url: Url = None,
    api_key: Key = None,
) -> None:
    """Abort a script that the server runs: its command is cancelled, the rest is skipped.

    Example: telemetra device abort oven_1 run_0123456789abcdef
    """
    with _open(url, api_key) as api:
        typer.echo(write_run(DeviceCaller(api, device_id).abort_script_run(run_id)))


def _make_process(module: str) -> Callable[[typer.Context], None]:
    def start(context: typer.Context) -> None:
        record = find_running(load_settings().data_dir)
        has_url = any(argument.split("=")[0] == "--url" for argument in context.args)
        told = [] if has_url or record is None else ["--url", record.api_url]
        become(module, [*context.args, *told])

    return start


for _name, (_module, _summary) in PROCESSES.items():
    device.command(_name, help=_summary, context_settings=OWN_HELP)(_make_process(_module))


def _open(url: str | None, api_key: str | None) -> ApiCaller:
    return open_api(load_settings(), url, api_key)


def _wait(calls: DeviceCaller, command_id: str) -> dict[str, Any]:
    try:
        return calls.wait_for_end(command_id)
    except KeyboardInterrupt:
        row = calls.cancel(command_id)
        typer.echo(f"{command_id} {row['state']}", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _print_json(told: object) -> None:
    typer.echo(orjson.dumps(told, option=orjson.OPT_INDENT_2))
