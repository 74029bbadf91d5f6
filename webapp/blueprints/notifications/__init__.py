"""Messages that wait, left or failed."""

from webapp.blueprints.notifications.views import bp

__all__ = ["bp"]
