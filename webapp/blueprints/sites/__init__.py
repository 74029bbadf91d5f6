"""Find, create and change sites."""

from webapp.blueprints.sites.views import bp

__all__ = ["bp"]
