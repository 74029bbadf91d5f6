"""The choices of the whole account."""

from webapp.blueprints.settings.views import bp

__all__ = ["bp"]
