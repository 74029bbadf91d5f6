"""Operating-system entropy, for codes, tokens and nonces."""

import os
import secrets

entropy = os.urandom


def token(size: int = 32) -> str:
    """A URL-safe secret of ``size`` random bytes."""
    return secrets.token_urlsafe(size)
