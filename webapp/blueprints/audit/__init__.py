"""Who did what, when."""

from webapp.blueprints.audit.views import bp

__all__ = ["bp"]
