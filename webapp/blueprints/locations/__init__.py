"""Find, create, change and close locations."""

from webapp.blueprints.locations.views import bp

__all__ = ["bp"]
