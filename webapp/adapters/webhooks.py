"""Delivers webhooks: signed, to the very address that was judged, within a time, following no redirect."""

from __future__ import annotations

import io
import json
import os
import socket
import ssl
from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Protocol, cast

from standardwebhooks import Webhook

from webapp.adapters.mail import NotSent, Refused, Unreachable
from webapp.config import Settings
from webapp.domain import webhook_addresses as rules
from webapp.domain.errors import DomainError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

WITHIN = 10.0  # seconds for everything; well below the lease of a claimed message
_LATER = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS})
Resolve = Callable[[str, int], Collection[str]]


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one receiver; ``id`` is the same with every try, ``secret`` is ``whsec_…``."""

    id: str
    url: str
    secret: str = field(repr=False)
    body: str = field(repr=False)

    def headers(self, now: datetime) -> dict[str, str]:
        """What Standard Webhooks asks for: id, time and the signature over both and the body."""
        return {
            "content-type": "application/json",
            "user-agent": "Largesse",
            "connection": "close",
            "webhook-id": self.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(self.secret).sign(self.id, now, self.body),
        }


class Poster(Protocol):
    """Somewhere deliveries go. ``post`` gives the answer in words, or raises ``NotSent``."""

    def post(self, delivery: Delivery, now: datetime) -> str: ...


def _resolve(host: str, port: int) -> list[str]:
    """Every address the host stands for, in the order to try them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


@dataclass(frozen=True)
class HttpPoster:
    """Over the network; ``listed`` are hosts inside that the operator vouches for."""

    listed: frozenset[str] = frozenset()
    resolve: Resolve = _resolve
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    within: float = WITHIN

    def post(self, delivery: Delivery, now: datetime) -> str:
        until = monotonic() + self.within
        try:
            end = rules.read(delivery.url, self.listed)
            with closing(self._connect(end, until)) as wire:
                status = _ask(wire, end, delivery, now, until)
        except DomainError as refused:
            raise Refused(f"Not sent: {refused.message}") from refused
        except OSError as error:
            raise Unreachable(f"The receiver does not answer as it should: {error}") from error
        except HTTPException as error:
            raise NotSent(f"The receiver’s answer is no HTTP: {type(error).__name__}") from error
        return _verdict(status)

    def _connect(self, end: rules.Endpoint, until: float) -> socket.socket:
        """A connection to one of the addresses that were looked up once and judged, all of them."""
        addresses = self.resolve(end.host, end.port)
        if not end.is_listed:
            for address in addresses:
                rules.require_public(end.host, ip_address(address))
        plain = _first(addresses, end.port, until)
        if end.scheme == "http":
            return plain
        try:
            plain.settimeout(_left(until))
            return self.trust.wrap_socket(plain, server_hostname=end.host)
        except OSError:
            plain.close()
            raise


def _first(addresses: Collection[str], port: int, until: float) -> socket.socket:
    failure = OSError("its name stands for no address")
    for address in addresses:
        try:
            return socket.create_connection((address, port), timeout=_left(until))
        except OSError as error:
            failure = error
    raise failure


def _left(until: float) -> float:
    left = until - monotonic()
    if left <= 0:
        raise TimeoutError("it took too long")
    return left


def _ask(wire: socket.socket, end: rules.Endpoint, delivery: Delivery, now: datetime, until: float) -> int:
    """Send it and give the status. Of the answer nothing else is kept or even read: it may repeat what was sent."""
    connection = HTTPConnection(end.host, end.port)
    connection.sock = cast(socket.socket, _Timed(wire, until))
    connection.request("POST", end.path, delivery.body.encode(), _hosted(end) | delivery.headers(now))
    return connection.getresponse().status


def _hosted(end: rules.Endpoint) -> dict[str, str]:
    name = f"[{end.host}]" if ":" in end.host else end.host
    return {"host": name if end.port == rules.PORTS[end.scheme] else f"{name}:{end.port}"}


class _Timed(io.RawIOBase):
    """What an HTTP connection needs of a socket, none of it after the end of its time, however slowly bytes come."""

    def __init__(self, wire: socket.socket, until: float) -> None:
        self._wire, self._until = wire, until

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def sendall(self, data: bytes) -> None:
        self._wire.settimeout(_left(self._until))
        self._wire.sendall(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        self._wire.settimeout(_left(self._until))
        return self._wire.recv_into(buffer)

    def close(self) -> None:
        """Whoever opened the connection closes it."""


def _verdict(status: int) -> str:
    known = {one.value: f" {one.phrase}" for one in HTTPStatus}
    sentence = f"The receiver answered {status}{known.get(status, '')}"
    if 200 <= status < 300:
        return sentence
    if status in _LATER or status >= 500:
        raise NotSent(sentence)
    raise Refused(f"{sentence}; nothing is sent elsewhere" if 300 <= status < 400 else sentence)


@dataclass(frozen=True)
class FolderPoster:
    """Every delivery as a file ``msg_….json``; for demonstrations and for looking at. Nothing goes over the network."""

    folder: Path

    def post(self, delivery: Delivery, now: datetime) -> str:
        content = {"url": delivery.url, "headers": delivery.headers(now), "body": delivery.body}
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = self.folder / f"{delivery.id}.part"
            part.write_text(json.dumps(content, indent=1, ensure_ascii=False))
            os.replace(part, self.folder / f"{delivery.id}.json")
        except OSError as error:
            raise Unreachable(f"The folder of webhooks cannot be written to: {error}") from error
        return "Written into the folder of webhooks"


def poster(settings: Settings) -> Poster:
    """The way out that ``WEBHOOKS`` names."""
    if settings.webhooks == "file":
        return FolderPoster(settings.instance / "webhooks")
    return HttpPoster(frozenset(settings.webhook_hosts))
