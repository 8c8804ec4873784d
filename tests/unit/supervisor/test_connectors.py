"""Connectors of the command line: what the setting names, and what `connect` hands on."""

import importlib.util
import re

import pytest
from typer.testing import CliRunner

from core.errors import SettingsInvalidError
from infra.cli.connectors import CONNECTORS, ConnectorEntry, name_module, read_connectors
from infra.cli.main import app


@pytest.mark.parametrize("name", CONNECTORS)
def test_every_connector_is_a_module_that_can_be_run(name: str):
    assert importlib.util.find_spec(f"{name_module(name)}.__main__") or importlib.util.find_spec(
        name_module(name)
    )


def test_the_setting_names_connectors_and_their_options():
    text = "twitch --channel a,b; twitch --channel 'c' --as x-;;"
    assert read_connectors(text) == [
        ConnectorEntry("twitch", "streaming.connectors.twitch", ("--channel", "a,b")),
        ConnectorEntry("twitch-2", "streaming.connectors.twitch", ("--channel", "c", "--as", "x-")),
    ]
    assert read_connectors(" ") == []


@pytest.mark.parametrize("text", ["twich --channel a", "--channel a", "twitch --as 'x"])
def test_a_setting_that_names_none_is_refused_by_name(text: str):
    with pytest.raises(SettingsInvalidError, match="CONNECTORS"):
        read_connectors(text)


def test_the_list_of_connectors_is_the_help():
    result = CliRunner().invoke(app, ["connect", "--help"])
    assert result.exit_code == 0
    assert all(re.search(rf"^  {name} ", result.output, re.MULTILINE) for name in CONNECTORS)
    assert "Example: telemetra connect" in result.output


@pytest.mark.parametrize("name", CONNECTORS)
def test_a_connector_is_told_its_own_options_and_where_the_api_is(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    became: list[tuple[str, list[str]]] = []
    monkeypatch.setattr(
        "infra.cli.connect.become", lambda module, arguments: became.append((module, arguments))
    )
    monkeypatch.setattr("infra.cli.connect.find_running", lambda _: None)
    result = CliRunner().invoke(app, ["connect", name, "--help", "--some", "thing"])
    assert result.exit_code == 0, result.output
    assert became == [(name_module(name), ["--help", "--some", "thing"])]
