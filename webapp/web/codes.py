"""The key and the randomness of voucher codes, as this installation has them."""

from __future__ import annotations

from flask import current_app

from webapp.adapters import randomness
from webapp.services.vouchers import Mint, code_key


def mint() -> Mint:
    """What codes are made from and looked up by."""
    return Mint(code_key(current_app.extensions["largesse"].secret_key), randomness.entropy)
