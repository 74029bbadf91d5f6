"""One's own account: name, password, where one is signed in."""

import webapp.blueprints.account.second_factor
from webapp.blueprints.account.views import bp

__all__ = ["bp"]
