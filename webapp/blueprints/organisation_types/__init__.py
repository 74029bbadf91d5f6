"""What organisations are: list, create and change their types."""

from webapp.blueprints.organisation_types.views import bp

__all__ = ["bp"]
