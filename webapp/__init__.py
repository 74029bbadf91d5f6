"""Largesse, a staff console for incentive programmes. Start reading at ``webapp.app``."""

__version__ = "0.1.0"
