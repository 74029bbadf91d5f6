"""List the entries of a reward and upload more."""

from webapp.blueprints.entries.views import bp

__all__ = ["bp"]
