"""The fixtures of all tests; each resource has its own module in ``tests/fixtures``."""

import gc

import pytest
from hypothesis import HealthCheck, settings

pytest_plugins = [
    # First what the others import: pytest rewrites the assertions of a module it loads itself.
    "tests.fixtures.folders",
    "tests.fixtures.servers",
    "tests.fixtures.settings",
    "tests.fixtures.clocks",
    "tests.fixtures.rewrites",
    "tests.fixtures.machine_code",
    "tests.fixtures.databases",
    "tests.fixtures.redises",
    "tests.fixtures.kafkas",
    "tests.fixtures.mosquittos",
    "tests.fixtures.collectors",
    "tests.fixtures.oidc",
    "tests.fixtures.apis",
    "tests.fixtures.chat_servers",
    "tests.fixtures.helix_servers",
    "tests.fixtures.api_processes",
    "tests.fixtures.flows",
    "tests.fixtures.archives",
    "tests.fixtures.receivers",
    "tests.fixtures.orders",
    "tests.fixtures.browsers",
    "tests.fixtures.device_servers",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what `make fuzz` asks for."""
    parser.addoption(
        "--fuzz-examples",
        type=int,
        help="requests that schemathesis makes up for each operation; few without it",
    )


def pytest_configure() -> None:
    """Let what is loaded and collected grow undisturbed: hardly any of it is garbage."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Keep it, and look for garbage only among what tests leave."""
    gc.collect()
    gc.freeze()
    gc.enable()


# A busy machine is no defect: no example has a deadline. The same code sees the same examples, so
# that a run that passes passes again: more of them would find something once, and then never again.
# `make fuzz` looks for new ones, forty times as many.
settings.register_profile(
    "steady",
    deadline=None,
    derandomize=True,
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "searching", settings.get_profile("steady"), derandomize=False, max_examples=1000
)
settings.load_profile("steady")
