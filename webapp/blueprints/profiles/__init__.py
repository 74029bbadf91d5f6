"""Find people, everything about one of them, and what staff may change of them."""

from webapp.blueprints.profiles.views import bp

from webapp.blueprints.profiles import editing, erasing, merging  # isort: skip

__all__ = ["bp", "editing", "erasing", "merging"]
