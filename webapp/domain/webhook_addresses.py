"""Where a webhook may go: what its address says by itself, and every address its host stands for (benefits.md 13.8 «SSRF»)."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from webapp.domain.errors import Refused

LONGEST = 500
PORTS = {"https": 443, "http": 80}
_VISIBLE = re.compile(r"[\x21-\x5b\x5d-\x7e]+")  # no blank, no control sign, no backslash, nothing beyond ASCII
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")
_INSIDE = ("localhost", "local", "internal", "intranet", "lan", "home", "corp", "private", "home.arpa")
_TRANSLATED = IPv6Network("64:ff9b::/96")  # its last 32 bits are an IPv4 address behind a gateway
_COMPATIBLE = IPv6Network("::/96")
Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address taken apart: ``path`` with its query, ``is_listed`` when the operator vouches for the host."""

    scheme: str
    host: str
    port: int
    path: str
    is_listed: bool


def read(url: str, listed: Collection[str], field: str = "url") -> Endpoint:
    """The address taken apart; ``Refused`` on ``field`` for one that may not be sent to, as far as its text says.

    ``listed`` are hosts the operator vouches for, in lower case; they may be inside, speak plain http and use any port.
    Nothing is looked up: a name that leads inside is refused by ``require_public`` when something is sent.
    """
    parts = _parts(url, field)
    name = _host(parts.hostname or "", field)
    is_listed = name in listed
    if parts.scheme != "https" and not (parts.scheme == "http" and is_listed):
        raise _no(field, f"A webhook goes to https://…, not to «{parts.scheme or 'no'}://…».")
    typed = _port(url, field)
    port = PORTS[parts.scheme] if typed is None else typed
    if not is_listed:
        if port not in PORTS.values():
            raise _no(field, f"Port {port} is not one of 443 and 80; {_LET_IN}")
        _require_outside(name, field)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return Endpoint(parts.scheme, name, port, path, is_listed)


_LET_IN = "the operator can name the host in LARGESSE_WEBHOOK_HOSTS."


def host(url: str) -> str:
    """The host of an address that was read before, as typed in lower case: what lists show of it."""
    return urlsplit(url).hostname or ""


def _parts(url: str, field: str) -> SplitResult:
    if len(url) > LONGEST:
        raise _no(field, f"The address has {len(url):,} characters; use at most {LONGEST}.")
    if not _VISIBLE.fullmatch(url):
        raise _no(
            field,
            "Write the address without blanks and backslashes, in plain letters; a host with others begins with xn--.",
        )
    try:
        parts = urlsplit(url)
    except ValueError:
        raise _no(field, f"«{url[:60]}» is no address; write it as https://hooks.example.org/path.") from None
    if "@" in parts.netloc:
        raise _no(field, "Leave user and password out of the address; the signature says who sends.")
    if "#" in url:
        raise _no(field, "Leave out what begins with #; it is never sent.")
    return parts


def _port(url: str, field: str) -> int | None:
    try:
        return urlsplit(url).port
    except ValueError:
        raise _no(field, "The port is not a number from 1 to 65535.") from None


def _host(typed: str, field: str) -> str:
    """The host in lower case, without the dot at its end; a literal address as its shortest text."""
    host = typed.lower().removesuffix(".")
    if ":" in host and "%" not in host:
        try:
            return str(IPv6Address(host))
        except ValueError:
            host = ""
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return str(_ipv4(labels, host, field))
    if len(host) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise _no(field, f"«{typed[:60]}» is no host; write the address as https://hooks.example.org/path.")
    return host


def _ipv4(labels: Sequence[str], host: str, field: str) -> IPv4Address:
    """What resolvers make of a host that ends in a number: parts may be octal or hexadecimal, and the last fills up."""
    try:
        *first, last = (_number(label) for label in labels)
    except ValueError:
        raise _no(field, f"«{host[:60]}» is neither a name nor an address.") from None
    if len(labels) > 4 or any(part > 255 for part in first) or last >= 256 ** (5 - len(labels)):
        raise _no(field, f"«{host[:60]}» is neither a name nor an address.")
    return IPv4Address(sum(part << 8 * (3 - place) for place, part in enumerate(first)) + last)


def _number(label: str) -> int:
    if not _NUMBER.fullmatch(label):
        raise ValueError(label)
    if label.startswith("0x"):
        return int(label[2:] or "0", 16)
    return int(label, 8 if label.startswith("0") else 10)


def _require_outside(host: str, field: str) -> None:
    try:
        address = ip_address(host)
    except ValueError:
        if "." not in host or any(host == name or host.endswith(f".{name}") for name in _INSIDE):
            raise _no(field, f"«{host}» is a name of this machine or of the network inside; {_LET_IN}") from None
    else:
        require_public(host, address, field)


def require_public(host: str, address: Address, field: str | None = None) -> None:
    """``Refused`` unless ``address``, which ``host`` is or stands for, belongs to the public network."""
    if not is_public(address):
        where = f"«{host}»" if host == str(address) else f"«{host}» stands for {address}, which"
        raise _no(field, f"{where} is not on the public network; {_LET_IN}")


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could reach it: not loopback, private, link-local, multicast, reserved or wrapped.

    Of an IPv6 address that carries an IPv4 one for a gateway both are judged; IPv4-mapped ones are never public.
    """
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped or address in _COMPATIBLE or address.is_site_local or address.teredo:
            return False
        inner = address.sixtofour or (IPv4Address(int(address) & 0xFFFFFFFF) if address in _TRANSLATED else None)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (
        address.is_loopback
        or address.is_private
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
        or address.is_unspecified
    )


def _no(field: str | None, message: str) -> Refused:
    return Refused("webhook.address", message, field)
