"""The fixtures of all tests; each resource has its own module in ``tests/fixtures``."""

pytest_plugins = [
    "tests.fixtures.apis",
    "tests.fixtures.clocks",
    "tests.fixtures.databases",
    "tests.fixtures.flows",
    "tests.fixtures.redises",
    "tests.fixtures.servers",
    "tests.fixtures.settings",
]
