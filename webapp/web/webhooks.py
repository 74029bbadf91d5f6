"""What this installation signs webhooks with, and which hosts inside they may go to."""

from __future__ import annotations

from flask import current_app

from webapp.adapters import randomness
from webapp.config import Settings
from webapp.domain import webhook_secrets
from webapp.domain.webhook_secrets import SecretMaker


def secrets() -> SecretMaker:
    """Makes the secrets of webhooks, and opens them to be shown once."""
    return SecretMaker(webhook_secrets.key(_settings().secret_key), randomness.entropy)


def listed() -> frozenset[str]:
    """The hosts inside that the operator vouches for."""
    return frozenset(_settings().webhook_hosts)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["largesse"]
    return settings
