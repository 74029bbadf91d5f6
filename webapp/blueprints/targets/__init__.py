"""Find, write, look at and retire targets: the e-mails that notices are sent with."""

from webapp.blueprints.targets.views import bp

__all__ = ["bp"]
