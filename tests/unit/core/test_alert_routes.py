"""Alert routes: where they lead, and how little of it is shown."""

from datetime import timedelta
from typing import Any

import pytest

from core.alert_routes import (
    AlertRoute,
    RouteKind,
    find_wrong_target,
    hide_secrets,
    hide_target,
    read_route,
    read_secret,
)
from core.alerts import Severity
from core.webhook_signatures import sign
from tests.fixtures.clocks import START
from tests.fixtures.pages import list_blocks

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
QUIET = {"days": ["mon"], "from": "10:00", "to": "11:00", "zone": "UTC"}
ROW: dict[str, Any] = {
    "route_id": "rte_1",
    "kind": "webhook",
    "target": "https://a.example/token",
    "secret": SECRET,
    "enabled": True,
    "rate_per_minute": 6,
    "quiet": QUIET,
    "critical_passes": True,
    "timeout_s": 3.0,
}


def test_nothing_that_is_secret_is_printed():
    route = read_route(ROW)
    assert (route.per_minute_max, route.time_out_s) == (6, 3.0)
    assert "token" not in repr(route)
    assert SECRET not in repr(route)


@pytest.mark.parametrize(
    ("row", "severity", "after", "expected"),
    [
        ({}, Severity.WARNING, timedelta(), False),
        ({}, Severity.CRITICAL, timedelta(), True),
        ({"critical_passes": False}, Severity.CRITICAL, timedelta(), False),
        ({}, Severity.INFO, timedelta(hours=1), True),
        ({"quiet": None}, Severity.INFO, timedelta(), True),
    ],
)
def test_a_route_is_quiet_in_its_hours(
    row: dict[str, Any], severity: Severity, after: timedelta, *, expected: bool
):
    route: AlertRoute = read_route(ROW | row)
    assert route.takes(severity, START + after) is expected


@pytest.mark.parametrize(
    ("kind", "target", "shown"),
    [
        ("webhook", "https://a.example/services/T0/B0/XX", "https://a.example/…"),
        ("webhook", "https://a.example", "https://a.example/"),
        ("webhook", "http://u:pw@a.example:81?key=x", "http://a.example:81/…"),
        ("alertmanager", "http://[::1]:9093/", "http://[::1]:9093/"),
        ("apprise", "slack://TOKEN/abc", "slack://…"),
    ],
)
def test_a_target_is_shown_by_where_it_leads(kind: str, target: str, shown: str):
    assert hide_target(RouteKind(kind), target) == shown
    assert find_wrong_target(RouteKind(kind), target) is None


@pytest.mark.parametrize(
    "target", ["ftp://example", "http://", "example", "http://example:x", "http://[example"]
)
def test_a_target_that_leads_nowhere_is_wrong_and_not_repeated(target: str):
    wrong = find_wrong_target(RouteKind.WEBHOOK, target)
    assert wrong is not None
    assert "example" not in wrong


@pytest.mark.parametrize(
    ("said", "left"),
    [
        ("Cannot POST /services/T0000/XXXXXXXX", "Cannot POST …"),
        ("no XXXXXXXX here", "no … here"),
        ("a.example is busy", "a.example is busy"),
        ("password is pass word?", "… is …?"),
    ],
)
def test_what_a_receiver_echoes_of_a_target_is_cut_out(said: str, left: str):
    target = "https://user:pass%20word@a.example/services/T0000/XXXXXXXX?to=password"
    assert hide_secrets(said, target) == left


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_YWJj", "whsec_é"],
)
def test_a_secret_that_is_none_is_refused(secret: str):
    with pytest.raises(ValueError, match="openssl"):
        read_secret(secret)


def test_the_documents_receiver_knows_us_from_others():
    (block,) = [each for each in list_blocks("alerts.md") if each.startswith("import base64")]
    page: dict[str, Any] = {}
    exec(block, page)  # noqa: S102 - our own page.
    at_s = int(page["time"].time())
    headers = sign(SECRET, "dlv_1", at_s, b"{}")
    assert page["is_ours"](SECRET, headers, b"{}")
    assert not page["is_ours"](SECRET, headers, b"{ }")
    assert not page["is_ours"](SECRET, headers | {"webhook-id": "dlv_2"}, b"{}")
    assert not page["is_ours"](SECRET.replace("MD", "MT"), headers, b"{}")
    old = sign(SECRET, "dlv_1", at_s - 400, b"{}")
    assert not page["is_ours"](SECRET, old, b"{}")
