"""The team: invite, give roles, disable."""

from webapp.blueprints.staff.views import bp

__all__ = ["bp"]
