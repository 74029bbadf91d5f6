"""Amounts of money in words."""

from __future__ import annotations

_SIGNS = {"GBP": "£", "EUR": "€", "USD": "$"}


def shown(minor: int, currency: str) -> str:
    """«£25.00» from 2500 hundredths; a currency without a sign of its own goes in front: «NOK 25.00»."""
    sign = _SIGNS.get(currency, f"{currency} ".lstrip())
    return f"{'-' if minor < 0 else ''}{sign}{abs(minor) // 100:,}.{abs(minor) % 100:02d}"
