"""Ports, passwords and identities of private servers."""

import os
import socket
import stat
from pathlib import Path

import pytest

from core.errors import ServiceMissingError
from infra.services.endpoints import find_endpoint, get_endpoint, keep_endpoint
from infra.services.identities import choose_identity
from infra.services.ports import LOOPBACK, PORT_RANGE, choose_port, is_port_free
from infra.services.redis import quote_value


def test_an_endpoint_is_made_once_and_kept(tmp_path: Path):
    made = keep_endpoint(tmp_path, in_use_by_us=False)
    assert made.port in PORT_RANGE
    assert len(made.password) >= 32
    assert keep_endpoint(tmp_path, in_use_by_us=False) == made == get_endpoint(tmp_path)


def test_a_password_is_readable_by_its_owner_only_and_not_shown(tmp_path: Path):
    endpoint = keep_endpoint(tmp_path, in_use_by_us=False)
    assert stat.S_IMODE((tmp_path / "password").stat().st_mode) == 0o600
    assert endpoint.password not in repr(endpoint)


def test_a_port_that_somebody_else_took_is_changed_and_the_password_stays(tmp_path: Path):
    kept = keep_endpoint(tmp_path, in_use_by_us=False)
    with socket.create_server((LOOPBACK, kept.port)):
        changed = keep_endpoint(tmp_path, in_use_by_us=False)
    assert changed.port != kept.port
    assert changed.password == kept.password


def test_a_port_on_which_our_own_server_runs_is_kept(tmp_path: Path):
    kept = keep_endpoint(tmp_path, in_use_by_us=False)
    with socket.create_server((LOOPBACK, kept.port)):
        assert keep_endpoint(tmp_path, in_use_by_us=True) == kept


def test_what_was_never_prepared_has_no_endpoint(tmp_path: Path):
    assert find_endpoint(tmp_path) is None
    with pytest.raises(ServiceMissingError, match="telemetra up"):
        get_endpoint(tmp_path)


def test_a_port_is_free_until_somebody_listens():
    port = choose_port()
    assert is_port_free(port)
    with socket.create_server((LOOPBACK, port)):
        assert not is_port_free(port)


def test_values_are_quoted_for_redis():
    assert quote_value('/a b/"c"\\d') == '"/a b/\\"c\\"\\\\d"'


def test_user_namespaces_are_preferred_and_keep_the_files_owner():
    identity = choose_identity(can_run=lambda _: True, is_root=True)
    assert identity.prefix[0] == "unshare"
    assert identity.owner == (os.geteuid(), os.getegid())


def test_root_becomes_nobody_where_namespaces_are_forbidden():
    identity = choose_identity(can_run=lambda prefix: prefix[0] == "setpriv", is_root=True)
    assert identity.prefix[0] == "setpriv"
    assert identity.owner[0] != 0
    assert identity.command(Path("/x/postgres"), "-D", "/d")[-3:] == ["/x/postgres", "-D", "/d"]


def test_where_nothing_works_the_message_says_what_to_do():
    with pytest.raises(ServiceMissingError, match="ordinary user, or set DATABASE_URL"):
        choose_identity(can_run=lambda _: False, is_root=True)
    with pytest.raises(ServiceMissingError):
        choose_identity(can_run=lambda prefix: prefix[0] == "setpriv", is_root=False)
