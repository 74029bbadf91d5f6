"""Find, create and change voucher types, and generate their codes."""

from webapp.blueprints.voucher_types.views import bp

__all__ = ["bp"]
