"""One box over everything."""

from webapp.blueprints.search.views import bp

__all__ = ["bp"]
