"""URLs: what could be read on the way is told from what could not."""

import pytest

from core.urls import is_loopback, is_safe_url


@pytest.mark.parametrize(
    "url",
    ["https://id.example/realm", "http://127.0.0.1:8080", "http://[::1]/a", "http://localhost"],
)
def test_what_goes_over_tls_or_stays_here_is_safe(url: str):
    assert is_safe_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "id.example",
        "https://",
        "http://id.example",
        "http://127.0.0.1.example",
        "http://localhost.example",
        "http://127.0.0.1@id.example",
        "file:///etc/passwd",
        "ftp://127.0.0.1",
        "http://[::1",
    ],
)
def test_everything_else_is_not(url: str):
    assert not is_safe_url(url)


def test_this_machine_is_known_by_its_name_and_its_addresses():
    assert all(map(is_loopback, ["localhost", "127.0.0.1", "127.8.8.8", "::1"]))
    assert not any(map(is_loopback, ["", "0.0.0.0", "::", "192.0.2.1", "example"]))  # noqa: S104
