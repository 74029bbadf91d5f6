"""Choose the columns of an upload, check it, import it."""

from webapp.blueprints.imports.views import bp

__all__ = ["bp"]
