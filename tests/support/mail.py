"""A mail server that keeps what it gets."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.support.processes import free_port


@dataclass
class MailServer:
    """`url` is where it listens, `messages` what arrived; `refuse("550 no such person")` makes it say no."""

    url: str = ""
    messages: list[EmailMessage] = field(default_factory=list)
    refusal: str = ""

    def refuse(self, answer: str) -> None:
        self.refusal = answer

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - its name there
        if self.refusal:
            return self.refusal
        self.messages.append(message_from_bytes(envelope.content or b"", policy=policy.default))
        return "250 kept"


@pytest.fixture
def smtp() -> Iterator[MailServer]:
    """A mail server of this test's own, on this machine."""
    server, port = MailServer(), free_port()
    server.url = f"smtp://127.0.0.1:{port}"
    controller = Controller(server, hostname="127.0.0.1", port=port)
    controller.start()
    yield server
    controller.stop(no_assert=True)
