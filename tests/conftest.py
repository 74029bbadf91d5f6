"""Fixtures for every test; each file of `tests/support` tells its own."""

from hypothesis import settings

# A busy machine is no fault of the program: no test is judged by the clock.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

pytest_plugins = [
    "tests.support.run",
    "tests.support.databases",
    "tests.support.app",
    "tests.support.server",
    "tests.support.mail",
    "tests.support.webhooks",
    "tests.support.browser",
]
