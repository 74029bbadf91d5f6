"""Find a code, see its story, move it from state to state, and print sheets of vouchers."""

from webapp.blueprints.vouchers.views import bp

from webapp.blueprints.vouchers import printing  # isort: skip

__all__ = ["bp", "printing"]
