"""Device calls: what the commands about devices ask of the API."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

import orjson

from core.commands import ENDS, State
from core.errors import InvalidError
from infra.cli.api_calls import ApiCaller

WAIT_S: Final = 20.0
"""How long one question waits for the end of a command; less than a question may take."""

LISTED_MAX: Final = 1000

Row = dict[str, Any]


class DeviceCaller:
    """Asks an API about one device."""

    def __init__(self, api: ApiCaller, device_id: str) -> None:
        self.api = api
        self.device_id = device_id
        self._path = f"/devices/{quote(device_id, safe='')}"

    def get(self) -> Row:
        """Return the device."""
        return self.api.get(self._path, {})

    def list_types(self) -> dict[str, Row]:
        """Return what it measures."""
        found: dict[str, Row] = self.api.get(f"{self._path}/telemetry-types", {})["telemetry_types"]
        return found

    def list_templates(self) -> dict[str, Row]:
        """Return what it can do."""
        path = f"{self._path}/command-templates"
        found: dict[str, Row] = self.api.get(path, {})["command_templates"]
        return found

    def read_history(self, query: Mapping[str, str | int]) -> list[Row]:
        """Return lines of its log, newest first."""
        found: list[Row] = self.api.get(f"{self._path}/history", query)["data"]
        return found

    def send(self, command: str, parameters: Mapping[str, Any], name: str | None = None) -> Row:
        """Have a command queued; sent again under the same name it is queued once."""
        headers = {"Idempotency-Key": name or secrets.token_hex(16)}
        given = {"command": command, "parameters": dict(parameters)}
        return self.api.post(f"{self._path}/commands", given, headers)

    def confirm(self, command_id: str, token: str) -> Row:
        """Release a command that is held."""
        return self.api.post(f"{self._path}/commands/{command_id}/confirm", {"token": token})

    def cancel(self, command_id: str) -> Row:
        """End a command that has not ended."""
        return self.api.post(f"{self._path}/commands/{command_id}/cancel", {})

    def start_script(self, text: str, name: str) -> Row:
        """Have the server run a script; handed over again under the same name it is run once."""
        # Who wrote a dangerous command into a script and started that has said so twice.
        given = {"text": text, "confirm_dangerous": True}
        return self.api.post(f"{self._path}/scripts", given, {"Idempotency-Key": name})

    def find_script_run(self, run_id: str) -> Row:
        """Return a run with its steps."""
        return self.api.get(f"{self._path}/scripts/{run_id}", {})

    def list_script_runs(self, limit: int) -> list[Row]:
        """Return runs, newest first."""
        found: list[Row] = self.api.get(f"{self._path}/scripts", {"limit": limit})["data"]
        return found

    def abort_script_run(self, run_id: str) -> Row:
        """Have a run ended."""
        return self.api.post(f"{self._path}/scripts/{run_id}/abort", {})

    def find_command(self, command_id: str, wait_s: float = 0.0) -> Row:
        """Return a command, at once or when it ends."""
        return self.api.get(f"{self._path}/commands/{command_id}", {"wait": wait_s})

    def wait_for_end(self, command_id: str) -> Row:
        """Return a command when it has ended; its deadline says that it does."""
        while True:
            row = self.find_command(command_id, WAIT_S)
            if State(row["state"]) in ENDS:
                return row


def read_parameters(given: Sequence[str], template: Mapping[str, Any] | None) -> dict[str, Any]:
    """Read parameters as people type them: ``power=3``, ``mode=eco``.

    Raises:
        InvalidError: One has no name, or stands there twice.
    """
    known = (template or {}).get("parameters") or {}
    parameters: dict[str, Any] = {}
    for each in given:
        name, sign, text = each.partition("=")
        if not sign or not name:
            raise InvalidError(f"{each!r} is not like name=value.")
        if name in parameters:
            raise InvalidError(f"{name} is given twice.")
        is_text = (known.get(name) or {}).get("type") == "string"
        parameters[name] = text if is_text else _read_value(text)
    return parameters


def _read_value(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
