"""Views of lists under a name."""

from webapp.blueprints.saved_views.views import bp

__all__ = ["bp"]
