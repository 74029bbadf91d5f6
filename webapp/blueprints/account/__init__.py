"""One's own account: name, password, where one is signed in."""

from webapp.blueprints.account.views import bp

__all__ = ["bp"]
