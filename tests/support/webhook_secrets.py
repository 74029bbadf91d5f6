"""What webhooks of the tests are signed with."""

from webapp.adapters import randomness
from webapp.domain import webhook_secrets
from webapp.domain.webhook_secrets import SecretMaker

SECRETS = SecretMaker(webhook_secrets.key("a secret of the tests"), randomness.entropy)
