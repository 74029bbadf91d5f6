"""13.8 «signature» and «SSRF» of what leaves: signed, judged once, connected to what was judged, within a time."""

from __future__ import annotations

import json
import re
import socket
import ssl
import subprocess
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from threading import Thread

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from tests.support.databases import settings_for
from tests.support.webhook_secrets import SECRETS
from webapp.adapters import clock
from webapp.adapters.mail import NotSent, Refused, Unreachable
from webapp.adapters.webhooks import Delivery, FolderPoster, HttpPoster, poster
from webapp.config import BadSettings, Settings

SECRET = SECRETS.open("desk", SECRETS.make("desk"))
BODY = '{"to": "Zoë", "code": "K7QM"}'
LOOPBACK = frozenset({"127.0.0.1"})
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def delivery(url):
    return Delivery("msg_1", url, SECRET, BODY)


def post(url, now=NOW, **more):
    return HttpPoster(**{"listed": LOOPBACK} | more).post(delivery(url), now)


def test_13_8_signature(receiver):
    """A receiver with the library of Standard Webhooks takes it as it came, and nothing that was altered."""
    assert post(receiver.url, clock.now()) == "The receiver answered 204 No Content"
    (got,) = receiver.got
    assert (got.path, got.body, got.headers["content-type"]) == ("/hook?desk=7", BODY.encode(), "application/json")
    check = Webhook(SECRET)
    assert check.verify(got.body, got.headers) == json.loads(BODY)
    altered = [
        (got.body.replace(b"K7QM", b"K7QN"), {}),
        (got.body + b" ", {}),
        (got.body, {"webhook-id": "msg_2"}),
        (got.body, {"webhook-timestamp": str(int(got.headers["webhook-timestamp"]) + 1)}),
        (got.body, {"webhook-signature": "v1,AAAA"}),
    ]
    for body, headers in altered:
        with pytest.raises(WebhookVerificationError):
            check.verify(body, got.headers | headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(SECRETS.open("desk", SECRETS.make("desk"))).verify(got.body, got.headers)


def test_the_secret_is_in_nothing_that_is_printed():
    assert SECRET.removeprefix("whsec_") not in repr(delivery("https://hooks.example.org/"))
    assert "K7QM" not in repr(delivery("https://hooks.example.org/"))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_sent(receiver, status):
    receiver.answers = [status]
    assert post(receiver.url).startswith(f"The receiver answered {status}")


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 599])
def test_what_may_work_later_is_tried_again(receiver, status):
    receiver.answers = [status]
    with pytest.raises(NotSent, match=str(status)) as error:
        post(receiver.url)
    assert not error.value.is_final


@pytest.mark.parametrize("status", [304, 400, 401, 403, 404, 410, 413, 418])
def test_what_will_never_work_is_final(receiver, status):
    receiver.answers = [status]
    with pytest.raises(Refused, match=str(status)):
        post(receiver.url)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver, status):
    receiver.answers, receiver.headers = [status], {"Location": receiver.url}
    with pytest.raises(Refused, match="nothing is sent elsewhere"):
        post(receiver.url)
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.7", "169.254.169.254", "::1", "::ffff:127.0.0.1", "64:ff9b::a00:7"]
)
def test_13_8_ssrf_a_name_that_stands_for_an_address_inside_is_not_called(receiver, address):
    """One address inside among public ones is enough."""
    url = receiver.url.replace("127.0.0.1", "hooks.example.org").replace("http:", "https:")
    url = url.replace(url.split("/")[2], "hooks.example.org")
    with pytest.raises(Refused, match="not on the public network"):
        post(url, resolve=lambda _host, _port: ["8.8.8.8", address])
    assert receiver.got == []


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://localhost/", "http://hooks.example.org/"]
)
def test_13_8_ssrf_the_text_is_judged_again_before_it_is_sent(url):
    """The operator may have taken a host off the list since the target was saved."""
    looked_up = []
    with pytest.raises(Refused):
        post(url, listed=frozenset(), resolve=lambda *asked: looked_up.append(asked) or ["8.8.8.8"])
    assert looked_up == []


def test_13_8_ssrf_the_name_is_looked_up_once_and_what_was_judged_is_called(receiver, monkeypatch):
    """A name server that answers otherwise the second time finds nobody who asks."""
    answers, called = [["127.0.0.1"], ["10.0.0.7"]], []
    connect = socket.create_connection
    monkeypatch.setattr(
        socket, "create_connection", lambda where, **more: called.append(where) or connect(where, **more)
    )
    port = int(receiver.url.split(":")[2].split("/")[0])
    post(f"http://desk:{port}/hook", listed=frozenset({"desk"}), resolve=lambda _host, _port: answers.pop(0))
    assert (called, answers) == ([("127.0.0.1", port)], [["10.0.0.7"]])
    assert receiver.got[0].headers["host"] == f"desk:{port}"


def test_a_name_nobody_knows_is_tried_again():
    def resolve(_host, _port):
        raise socket.gaierror(-2, "Name or service not known")

    with pytest.raises(Unreachable, match="Name or service not known"):
        post("https://hooks.example.org/", resolve=resolve)
    with pytest.raises(Unreachable, match="no address"):
        post("https://hooks.example.org/", resolve=lambda _host, _port: [])


def test_a_receiver_that_is_not_there_is_tried_again():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unreachable):
            post(f"http://127.0.0.1:{taken.getsockname()[1]}/")


@contextmanager
def answering(act, wrap=lambda wire: wire):
    """Whoever calls gets what `act(wire)` does; gives the port."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def answer():
            with suppress(OSError), closing(listener.accept()[0]) as plain, closing(wrap(plain)) as wire:
                act(wire)  # until the caller has had enough

        listening = Thread(target=answer)
        listening.start()
        yield listener.getsockname()[1]
        listening.join()


def heard(wire):
    """The whole request: whoever hangs up on what was not read cuts the answer off too."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += wire.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(re.search(rb"(?i)content-length: (\d+)", head)[1])
    while len(body) < length:
        body += wire.recv(65_536)


def drip(wire):
    wire.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    wire.settimeout(0.05)
    while True:
        wire.sendall(b"x")
        try:
            if not wire.recv(65_536):
                return
        except TimeoutError:
            continue


def for_ever(wire):
    while True:
        wire.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("act", [drip, for_ever, lambda wire: wire.recv(1) and wire.recv(65_536) and wire.recv(1)])
def test_a_receiver_that_never_ends_is_given_up(act):
    """However it keeps the line busy: a byte at a time, one half answer after another, or silence."""
    with answering(act) as port, pytest.raises(Unreachable):
        post(f"http://127.0.0.1:{port}/", within=0.4)


def test_an_answer_without_end_is_not_read():
    def act(wire):
        heard(wire)
        wire.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n")
        while True:
            wire.sendall(b"x" * 65_536)

    with answering(act) as port:
        assert post(f"http://127.0.0.1:{port}/") == "The receiver answered 200 OK"


def test_an_answer_with_headers_without_end_is_given_up():
    def act(wire):
        heard(wire)
        wire.sendall(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 100_000)

    with answering(act) as port, pytest.raises(NotSent, match="no HTTP") as error:
        post(f"http://127.0.0.1:{port}/")
    assert not error.value.is_final


def test_what_is_no_http_is_tried_again():
    def act(wire):
        heard(wire)
        wire.sendall(b"hello\r\n\r\n")

    with answering(act) as port, pytest.raises(NotSent, match="no HTTP"):
        post(f"http://127.0.0.1:{port}/")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate and its key for hooks.example.org, signed by itself."""
    folder = tmp_path_factory.mktemp("tls")
    ask = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=hooks.example.org"
    )
    ask += " -addext subjectAltName=DNS:hooks.example.org -keyout key.pem -out cert.pem"
    try:
        subprocess.run(ask.split(), cwd=folder, check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("openssl is not there to make a certificate with")
    return folder / "cert.pem", folder / "key.pem"


def serve(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return lambda wire: context.wrap_socket(wire, server_side=True)


def taking(wire):
    heard(wire)
    wire.sendall(b"HTTP/1.1 202 Accepted\r\n\r\n")


@pytest.mark.parametrize(
    ("host", "is_trusted", "words"),
    [
        ("hooks.example.org", True, ""),
        ("hooks.example.org", False, "certificate verify failed"),
        ("other.example.org", True, "certificate verify failed"),
    ],
)
def test_the_certificate_is_that_of_the_host_and_vouched_for(certificate, host, is_trusted, words):
    trust = ssl.create_default_context(cafile=certificate[0]) if is_trusted else ssl.create_default_context()
    with answering(taking, serve(certificate)) as port:
        way = HttpPoster(frozenset({host}), lambda _host, _port: ["127.0.0.1"], trust)
        message = delivery(f"https://{host}:{port}/")
        if not words:
            assert way.post(message, NOW) == "The receiver answered 202 Accepted"
            return
        with pytest.raises(Unreachable, match=words):
            way.post(message, NOW)


def test_a_folder_gets_one_file_a_delivery(tmp_path):
    FolderPoster(tmp_path / "webhooks").post(delivery("https://hooks.example.org/"), NOW)
    (file,) = (tmp_path / "webhooks").iterdir()
    assert file.name == "msg_1.json"
    assert json.loads(file.read_text())["body"] == BODY


def test_the_setting_names_the_way_out(tmp_path):
    assert isinstance(poster(settings_for("", tmp_path, webhooks="file")), FolderPoster)
    way = poster(Settings.from_environment({"LARGESSE_WEBHOOK_HOSTS": "Desk, 127.0.0.1"}))
    assert way.listed == {"desk", "127.0.0.1"}
    with pytest.raises(BadSettings, match="LARGESSE_WEBHOOKS"):
        Settings.from_environment({"LARGESSE_WEBHOOKS": "perhaps"})
