"""Find, create, change, move and archive organisations."""

from webapp.blueprints.organisations.views import bp

__all__ = ["bp"]
