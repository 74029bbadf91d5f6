"""Signing in and out, and taking up an invitation."""

from webapp.blueprints.auth.views import bp

__all__ = ["bp"]
