"""Fixtures for every test; each file of `tests/support` tells its own."""

pytest_plugins = [
    "tests.support.run",
    "tests.support.databases",
    "tests.support.app",
    "tests.support.server",
    "tests.support.mail",
    "tests.support.browser",
]
