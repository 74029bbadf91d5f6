"""13.8 «SSRF»: what the text of an address says, and which addresses are public."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from webapp.domain.errors import Refused
from webapp.domain.webhook_addresses import is_public, read, require_public

LISTED = frozenset({"127.0.0.1", "desk", "::1"})

INSIDE = (
    "127.0.0.1", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0x7f.1", "0177.0.0.01", "127.0.0.1.",
    "0", "0.0.0", "00000", "0x0", "10.0.0.7", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "192.0.2.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "0xa9fea9fe",
    "[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:8.8.8.8]", "[::127.0.0.1]",
    "[fe80::1]", "[fc00::1]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]", "[64:ff9b:1::1]", "[2002:7f00:1::]", "[2001::1]",
    "localhost", "LOCALHOST", "localhost.", "a.localhost", "printer.local", "intranet", "desk2", "db.internal",
    "router.lan", "nas.home.arpa",
)  # fmt: skip


@pytest.mark.parametrize("host", INSIDE)
def test_a_host_inside_is_refused_in_a_sentence(host):
    with pytest.raises(Refused, match=r"LARGESSE_WEBHOOK_HOSTS\.$") as refused:
        read(f"https://{host}/hook", LISTED - {"127.0.0.1", "::1"})
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://hooks.example.org/", "goes to https://"),
        ("ftp://hooks.example.org/", "goes to https://"),
        ("javascript:alert(1)", "is no host"),
        ("https:///hook", "is no host"),
        ("https://", "is no host"),
        ("hooks.example.org/in", "is no host"),
        ("https://user:word@hooks.example.org/", "user and password"),
        ("https://hooks.example.org@127.0.0.1/", "user and password"),
        ("https://hooks.example.org/#here", "begins with #"),
        ("https://hooks.example.org/#", "begins with #"),
        ("https://hooks.example.org:8443/", "Port 8443"),
        ("https://hooks.example.org:0/", "Port 0"),
        ("https://hooks.example.org:99999/", "from 1 to 65535"),
        ("https://hooks.example.org:x/", "from 1 to 65535"),
        ("https://hooks.example.org\\@127.0.0.1/", "backslashes"),
        ("https://hooks.example.org/a b", "without blanks"),
        ("https://hooks.example.org/\r\nx", "without blanks"),
        ("https://１２７.0.0.1/", "plain letters"),
        ("https://exämple.org/", "xn--"),
        ("https://%31%32%37.0.0.1/", "neither a name nor an address"),
        ("https://-x.example.org/", "is no host"),
        ("https://a..example.org/", "is no host"),
        ("https://1.2.3.4.5/", "neither a name nor an address"),
        ("https://256.1.1.1/", "neither a name nor an address"),
        ("https://4294967296/", "neither a name nor an address"),
        ("https://08.8.8.8/", "neither a name nor an address"),
        ("https://example.1/", "neither a name nor an address"),
        ("https://[::1", "is no address"),
        ("https://[fe80::1%25lo]/", "is no host"),
        ("https://hooks.example.org/" + "x" * 500, "use at most 500"),
    ],
)
def test_an_address_is_refused_with_its_reason(url, words):
    with pytest.raises(Refused) as refused:
        read(url, LISTED)
    assert words in refused.value.message


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://hooks.example.org", ("https", "hooks.example.org", 443, "/", False)),
        ("https://Hooks.Example.org.:443/In?a=%20b", ("https", "hooks.example.org", 443, "/In?a=%20b", False)),
        ("https://8.8.8.8/x", ("https", "8.8.8.8", 443, "/x", False)),
        ("https://[2606:4700::1111]/x", ("https", "2606:4700::1111", 443, "/x", False)),
        ("http://127.0.0.1:5123/x", ("http", "127.0.0.1", 5123, "/x", True)),
        ("http://2130706433/x", ("http", "127.0.0.1", 80, "/x", True)),
        ("http://[::1]:81/", ("http", "::1", 81, "/", True)),
        ("https://DESK:8443/", ("https", "desk", 8443, "/", True)),
    ],
)
def test_an_address_is_taken_apart(url, found):
    end = read(url, LISTED)
    assert (end.scheme, end.host, end.port, end.path, end.is_listed) == found


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2a00:1450::1"])
def test_a_public_address_is_public(address):
    assert is_public(ip_address(address))


def test_a_name_that_stands_for_an_address_inside_is_named_with_it():
    with pytest.raises(Refused, match=r"«hooks.example.org» stands for 10.0.0.7, which is not on the public network"):
        require_public("hooks.example.org", ip_address("10.0.0.7"))
