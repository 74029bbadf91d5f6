"""Which lists left as files, for whom and why."""

from webapp.blueprints.exports.views import bp

__all__ = ["bp"]
