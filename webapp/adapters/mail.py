"""Sends e-mail: over SMTP, into a folder, or into a list."""

from __future__ import annotations

import os
import smtplib
import socket
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

from webapp.config import BadSettings, Settings

TIMEOUT = 20  # seconds; well below the lease of a claimed message
_PORTS = {"smtp": 25, "smtps": 465}
_PERMANENT = 500


class NotSent(Exception):
    """The message did not leave, as far as we know; ``is_final`` when trying again cannot help."""

    is_final = False


class Refused(NotSent):
    """The server, or the message itself, says that it never will."""

    is_final = True


class Unreachable(NotSent):
    """There is no server to talk to; the next message would fare no better."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message; ``id`` is its row in the outbox, from which the Message-ID derives, so a copy shows as one."""

    id: int
    recipient: str
    subject: str
    body: str


class Sender(Protocol):
    """Somewhere messages go. ``send`` raises ``NotSent``; ``close`` ends a batch."""

    def send(self, message: Outgoing, now: datetime) -> None: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Letterhead:
    """What every message of this installation has in common."""

    sender: str
    host: str

    def write(self, message: Outgoing, now: datetime) -> EmailMessage:
        """The message in full; a line break in a header is refused, not folded into a second header."""
        mail = EmailMessage(policy=SMTP)
        try:
            mail["From"] = self.sender
            mail["To"] = message.recipient
            mail["Subject"] = message.subject
        except ValueError as error:
            raise Refused(f"The message has a header that cannot be sent: {error}") from error
        mail["Date"] = format_datetime(now)
        mail["Message-ID"] = f"<outbox-{message.id}@{self.host}>"
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(message.body)
        return mail


@dataclass
class SmtpSender:
    """One connection, opened when first needed and kept until ``close``."""

    url: str
    letterhead: Letterhead
    _client: smtplib.SMTP | None = None

    def send(self, message: Outgoing, now: datetime) -> None:
        mail = self.letterhead.write(message, now)
        client = self._client or self._connect()
        try:
            client.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            code, answer = next(iter(error.recipients.values()))
            raise _verdict(code, answer) from error
        except smtplib.SMTPResponseException as error:
            self._drop()
            raise _verdict(error.smtp_code, error.smtp_error) from error
        except smtplib.SMTPNotSupportedError as error:
            raise Refused(f"The mail server cannot take this address: {error}") from error
        except (smtplib.SMTPException, OSError) as error:
            self._drop()
            raise NotSent(f"The mail server broke off: {error}") from error

    def close(self) -> None:
        if self._client is not None:
            with suppress(smtplib.SMTPException, OSError):
                self._client.quit()
        self._client = None

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
        self._client = None

    def _connect(self) -> smtplib.SMTP:
        try:
            self._client = connect(self.url)
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(f"The mail server does not answer as it should: {error}") from error
        return self._client


@dataclass
class FolderSender:
    """Every message as a file ``00000012.eml``; for demonstrations and for looking at."""

    folder: Path
    letterhead: Letterhead

    def send(self, message: Outgoing, now: datetime) -> None:
        content = self.letterhead.write(message, now).as_bytes()
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = self.folder / f"{message.id:08d}.part"
            part.write_bytes(content)
            os.replace(part, self.folder / f"{message.id:08d}.eml")
        except OSError as error:
            raise Unreachable(f"The mail folder cannot be written to: {error}") from error

    def close(self) -> None:
        """Nothing is open."""


@dataclass
class ListSender:
    """Keeps messages in memory, for tests; ``fail`` may raise instead."""

    letterhead: Letterhead
    sent: list[EmailMessage] = field(default_factory=list)
    fail: Callable[[Outgoing], None] = lambda _message: None

    def send(self, message: Outgoing, now: datetime) -> None:
        self.fail(message)
        self.sent.append(self.letterhead.write(message, now))

    def close(self) -> None:
        """Nothing is open."""


def sender(settings: Settings) -> Sender | None:
    """The way out that ``SMTP_URL`` names; None when it is empty, and messages wait. Raises ``BadSettings``.

    ``smtp://user:password@host:587`` (encrypted where the server can, always with a password), ``smtps://host``,
    ``file:`` for the folder ``mail`` of the instance.
    """
    if not settings.smtp_url:
        return None
    host = urlsplit(settings.public_url).hostname or "localhost"
    letterhead = Letterhead(settings.mail_from, host)
    scheme = settings.smtp_url.partition(":")[0]
    if scheme == "file":
        return FolderSender(settings.instance / "mail", letterhead)
    if scheme not in _PORTS or not urlsplit(settings.smtp_url).hostname:
        raise BadSettings("LARGESSE_SMTP_URL must be smtp://host:port, smtps://host:port or file:.")
    return SmtpSender(settings.smtp_url, letterhead)


def connect(url: str) -> smtplib.SMTP:
    """A connection ready to send, encrypted and signed in as the address says."""
    parts = urlsplit(url)
    host, port = str(parts.hostname), parts.port or _PORTS[parts.scheme]
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if parts.scheme == "smtps":
        client = smtplib.SMTP_SSL(host, port, timeout=TIMEOUT, context=context)
    else:
        client = smtplib.SMTP(host, port, timeout=TIMEOUT)
    if client.sock is not None:  # small commands must not wait for one another
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.ehlo_or_helo_if_needed()
    if parts.scheme == "smtp" and (parts.username or client.has_extn("starttls")):
        client.starttls(context=context)
        client.ehlo()
    if parts.username:
        client.login(unquote(parts.username), unquote(parts.password or ""))
    return client


def _verdict(code: int, answer: bytes | str) -> NotSent:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    sentence = f"The mail server answered {code} {text}"[:480]
    return Refused(sentence) if code >= _PERMANENT else NotSent(sentence)
