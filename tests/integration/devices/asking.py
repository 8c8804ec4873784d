"""Asking: commands over HTTP, as an operator sends them."""

from typing import Any

from tests.fixtures.clients import open_client


async def ask(
    address: str,
    command: str,
    device_id: str = "chamber-1",
    *,
    priority: int = 5,
    deadline_seconds: float | None = None,
    **parameters: Any,
) -> str:
    """Queue a command; return its id."""
    body = {
        "command": command,
        "parameters": parameters,
        "priority": priority,
        "deadline_seconds": deadline_seconds,
    }
    async with open_client() as client:
        answer = await client.post(
            f"http://{address}/api/v1/devices/{device_id}/commands", json=body
        )
    assert answer.status_code == 202, answer.text
    command_id: str = answer.json()["command_id"]
    return command_id


async def read_command(
    address: str, command_id: str, device_id: str = "chamber-1", *, wait: float = 0
) -> dict[str, Any]:
    """Return a command with its events, when it has ended or the time is over."""
    async with open_client(timeout=40) as client:
        answer = await client.get(
            f"http://{address}/api/v1/devices/{device_id}/commands/{command_id}",
            params={"wait": wait},
        )
    assert answer.status_code == 200, answer.text
    row: dict[str, Any] = answer.json()
    return row
