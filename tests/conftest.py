"""The fixtures of all tests; each resource has its own module in ``tests/fixtures``."""

pytest_plugins = [
    # First what the others import: pytest rewrites the assertions of a module it loads itself.
    "tests.fixtures.servers",
    "tests.fixtures.settings",
    "tests.fixtures.clocks",
    "tests.fixtures.databases",
    "tests.fixtures.redises",
    "tests.fixtures.apis",
    "tests.fixtures.flows",
]
