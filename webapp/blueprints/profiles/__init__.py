"""Find people, and everything about one of them."""

from webapp.blueprints.profiles.views import bp

__all__ = ["bp"]
