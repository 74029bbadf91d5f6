"""List, create, change and remove tiers."""

from webapp.blueprints.tiers.views import bp

__all__ = ["bp"]
