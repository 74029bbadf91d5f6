"""Find, create and change groups, and bring people in and out of them."""

from webapp.blueprints.groups.views import bp

__all__ = ["bp"]
