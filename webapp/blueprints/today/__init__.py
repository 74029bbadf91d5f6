"""What waits for the person signed in."""

from webapp.blueprints.today.views import bp

__all__ = ["bp"]
