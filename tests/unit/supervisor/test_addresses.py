"""Where the API will listen."""

import socket
from collections.abc import Iterator

import pytest

from core.errors import SettingsInvalidError
from core.settings import Settings
from infra.cli.addresses import choose_api_port, format_url, is_port_free


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def _settings(**values: object) -> Settings:
    return Settings.model_validate(values)


def test_a_port_that_was_set_and_is_free_is_taken():
    with socket.create_server(("127.0.0.1", 0)) as other:
        free = other.getsockname()[1]
    assert choose_api_port(_settings(api_port=free)) == free


def test_a_port_that_was_set_and_is_taken_is_refused_by_number(taken_port):
    with pytest.raises(SettingsInvalidError, match=f"API_PORT {taken_port} is taken"):
        choose_api_port(_settings(api_port=taken_port))


def test_the_usual_port_gives_way_when_it_is_taken(taken_port):
    settings = Settings.model_construct(_fields_set=set(), api_port=taken_port)
    port = choose_api_port(settings)
    assert port != taken_port
    assert is_port_free("127.0.0.1", port)


def test_port_zero_takes_a_free_one():
    assert choose_api_port(_settings(api_port=0)) > 0


def test_a_host_of_another_machine_is_refused():
    with pytest.raises(SettingsInvalidError, match="API_HOST"):
        choose_api_port(_settings(api_host="no.such.host.invalid", api_port=0))


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("0.0.0.0", "http://127.0.0.1:80"),  # noqa: S104
        ("::1", "http://[::1]:80"),
        ("::", "http://[::1]:80"),
    ],
)
def test_a_url_names_an_address_that_can_be_reached(host, url):
    assert format_url(host, 80) == url
