"""Find, create and change modules, and record who completed them."""

from webapp.blueprints.modules.views import bp

__all__ = ["bp"]
