"""P13 and P14, the light part: whatever is sent, nothing breaks, no nonsense is kept, no trick comes alive.

Forms, their fields and the parameters of lists are found by walking the pages, so that a new form is covered
by being there. What one request changes is taken back before the next.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from tests.factories import Factories
from tests.pages import check
from tests.support import hostile
from tests.support.clock import NOW
from tests.support.databases import settings_for
from tests.support.signing_in import sign_in
from webapp.adapters import clock
from webapp.adapters.engines import engine_options
from webapp.app import create_app
from webapp.demo.programme import Builder
from webapp.domain.permissions import Role
from webapp.extensions import db

FINE = {200, 204, 302, 303, 304, 400, 404, 405, 409, 413, 422, 429}
LEFT_OUT = {"auth.sign_out", "static", "csp_report"}  # signing out would end the walk
ADDRESSES = 3  # of each screen
PARTS = 16  # of the long walks, so that each ends in time when every value is tried
PARAMETERS = ("q", "status", "before", "after", "page", "show", "reward", "next", "sort", "site", "from", "to")
ODD_PARTS = (
    "0", "-1", "01", "2147483648", "99999999999999999999", "%00", "%ED%A0%80", "%FF", "..", "a%2Fb", "A", "%C3%A4", "x" * 3_000,
    "%0d%0aX:%20y", "%D9%A3", f"%7B%7B{hostile.SUM}%7D%7D", "%E2%80%AE", "D-00000000", "a" * 43,
)  # fmt: skip
FILE_NAMES = (
    "a\x00.csv", "\ud800.csv", "../../x.csv", "x" * 5_000 + ".csv", "\u202evsc.exe", 'a"b.csv', "", "<script>.csv", "con.csv",
    ".csv", "ü.csv", "a.csv\r\nX: y",
)  # fmt: skip
FILLERS = {"number": "1", "date": "2026-04-01", "email": "ann@example.org", "password": "a-long-enough-sentence-42"}
# Fields that keep what is typed with its line breaks and, as a paragraph may, signs that turn the direction.
PARAGRAPHS = {"textarea"}


@dataclass(frozen=True)
class Form:
    """A form as a page showed it: where it goes, and what it sends when nothing odd is typed."""

    method: str
    action: str
    endpoint: str
    values: tuple[tuple[str, str], ...]
    files: tuple[str, ...]
    paragraphs: frozenset[str]

    @property
    def names(self) -> list[str]:
        return list(dict.fromkeys(name for name, _ in self.values))

    def with_value(self, name: str, value: str) -> str:
        """The body with one field replaced."""
        return hostile.encode([*((key, kept) for key, kept in self.values if key != name), (name, value)])


@dataclass
class Walker:
    """A browser that notes what is written, and takes it back."""

    app: Flask
    client: FlaskClient
    connection: Connection
    problems: list[str] = field(default_factory=list)
    validated: Counter[str] = field(default_factory=Counter)
    written: list[Any] = field(default_factory=list)

    def note(self, _connection: object, _cursor: object, statement: str, values: Any, *_rest: object) -> None:
        if statement.lstrip().upper().startswith(("INSERT", "UPDATE")):
            rows = values if isinstance(values, list) else [values]
            for row in rows:
                self.written += row.values() if isinstance(row, dict) else row

    @contextmanager
    def taken_back(self) -> Iterator[None]:
        self.written.clear()
        savepoint = self.connection.begin_nested()
        try:
            yield
        finally:
            if savepoint.is_active:
                savepoint.rollback()

    def send(self, what: str, url: str, *, may_turn: bool = False, **options: Any) -> None:
        """One request; what is wrong with its answer, with what it wrote or with the page it leads to is noted."""
        with self.taken_back():
            answer = self.client.open(url, **options)
            self._judge(what, answer)
            if found := list(hostile.nonsense(self.written, may_turn=may_turn)):
                self.problems.append(f"{what}: stored {found[:3]!r}")
            if answer.status_code == 303:
                self._judge(f"{what}, then", self.client.get(answer.headers["Location"]))

    def _judge(self, what: str, answer: TestResponse) -> None:
        status = answer.status_code
        if status not in FINE:
            self.problems.append(f"{what}: answered {status}")
            return
        if answer.mimetype != "text/html" or not 200 <= status < 500 or status in range(300, 400):
            return
        text = answer.get_data(as_text=True)
        if found := hostile.alive(text):
            self.problems.append(f"{what}: {found} is alive on the page")
        kind = f"{answer.request.path} {status}"
        self.validated[kind] += 1
        if self.validated[kind] == 1:
            self._validate(what, text)

    def _validate(self, what: str, text: str) -> None:
        """Whether it is a page at all; once for each address and status, for it takes long."""
        try:
            check(text, BeautifulSoup(text, "html.parser"))
        except Exception as problem:  # noqa: BLE001 - a parser's complaints have many classes
            self.problems.append(f"{what}: the page is not valid: {problem!r}"[:300])

    def endpoint(self, url: str, method: str = "GET") -> str | None:
        try:
            return str(self.app.url_map.bind("localhost").match(urlsplit(url).path, method)[0])
        except HTTPException:
            return None


@pytest.fixture(scope="module")
def served(
    new_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Flask, Engine]]:
    """The application on the sample programme."""
    settings = settings_for(new_database(), Path(tmp_path_factory.mktemp("hostile")))
    engine = create_engine(settings.database, **engine_options(settings.database, threads=1))
    Builder(lambda: Session(engine, expire_on_commit=False), NOW, settings, "small").build()
    app = create_app(settings)
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: NOW)
        yield app, engine
    engine.dispose()


@pytest.fixture(scope="module")
def connection(served: tuple[Flask, Engine]) -> Iterator[Connection]:
    """The one connection every request is served on; in the end nothing of it stays."""
    app, engine = served
    with app.app_context():
        engines, own = db.engines, db.engine
        db.session.configure(join_transaction_mode="create_savepoint")
    with engine.connect().execution_options(largesse_write=True) as connection:
        outer = connection.begin()
        engines[None] = connection  # type: ignore[assignment]
        yield connection
        engines[None] = own
        outer.rollback()
    own.dispose()


@pytest.fixture(scope="module")
def signed_in_client(served: tuple[Flask, Engine], connection: Connection) -> FlaskClient:
    """Somebody with every role."""
    client = served[0].test_client()
    with Session(connection, join_transaction_mode="create_savepoint", expire_on_commit=False) as session:
        sign_in(client, session, Factories(session).actor(*Role, name="Ann Able"))
    return client


@pytest.fixture
def walker(served: tuple[Flask, Engine], connection: Connection, signed_in_client: FlaskClient) -> Iterator[Walker]:
    yield from walk(served[0], signed_in_client, connection)


@pytest.fixture
def stranger(served: tuple[Flask, Engine], connection: Connection) -> Iterator[Walker]:
    yield from walk(served[0], served[0].test_client(), connection)


def walk(app: Flask, client: FlaskClient, connection: Connection) -> Iterator[Walker]:
    """Everything that went wrong on a walk is told at its end."""
    walker = Walker(app, client, connection)
    event.listen(connection, "before_cursor_execute", walker.note)
    yield walker
    event.remove(connection, "before_cursor_execute", walker.note)
    assert not walker.problems, "\n".join([f"{len(walker.problems)} problems", *walker.problems[:80]])


@pytest.fixture(scope="module")
def pages(
    served: tuple[Flask, Engine], connection: Connection, signed_in_client: FlaskClient
) -> dict[str, BeautifulSoup]:
    """A few of every screen."""
    walker = Walker(served[0], signed_in_client, connection)
    found = crawl(walker, "/today")
    assert not walker.problems, walker.problems
    return found


def crawl(walker: Walker, *starts: str) -> dict[str, BeautifulSoup]:
    """Pages by address: a few of every screen that links lead to."""
    seen: Counter[str | None] = Counter()
    pages: dict[str, BeautifulSoup] = {}
    waiting, met = list(starts), set(starts)
    while waiting:
        url = waiting.pop(0)
        endpoint = walker.endpoint(url)
        if endpoint is None or endpoint in LEFT_OUT or seen[endpoint] >= ADDRESSES:
            continue
        answer = walker.client.get(url)
        if answer.status_code != 200 or answer.mimetype != "text/html":
            continue
        seen[endpoint] += 1
        pages[url] = BeautifulSoup(answer.get_data(as_text=True), "html.parser")
        for link in pages[url].select("a[href^='/'], [hx-get^='/']"):
            target = str(link.get("href") or link.get("hx-get")).partition("#")[0]
            if target not in met:
                met.add(target)
                waiting.append(target)
    return pages


def forms(walker: Walker, pages: dict[str, BeautifulSoup]) -> list[Form]:
    """Every form there is, one of each shape."""
    found: dict[tuple[Any, ...], Form] = {}
    for url, soup in pages.items():
        for tag in soup.select("form"):
            form = read(walker, url, tag)
            if form and form.endpoint not in LEFT_OUT:
                found.setdefault((form.method, form.endpoint, tuple(form.names), form.files), form)
    return list(found.values())


def read(walker: Walker, url: str, tag: Tag) -> Form | None:
    method, action = str(tag.get("method", "get")).upper(), str(tag.get("action") or url)
    endpoint = walker.endpoint(action, method)
    assert endpoint, f"the form on {url} leads to no address of ours: {method} {action}"
    values: list[tuple[str, str]] = []
    controls = tag.select("input[name], select[name], textarea[name], button[name]")
    for control in controls:
        values += [(str(control["name"]), value) for value in usual(control)]
    files = tuple(str(control["name"]) for control in controls if control.get("type") == "file")
    paragraphs = frozenset(str(control["name"]) for control in controls if control.name in PARAGRAPHS)
    return Form(method, action, endpoint, tuple(values), files, paragraphs)


def usual(control: Tag) -> list[str]:
    """What a person would send: what is there, something fitting where nothing is."""
    kind = str(control.get("type", "text"))
    if kind in {"file", "submit"} and not control.get("value"):
        return []
    if control.name == "select":
        options = (
            control.select("option[selected]") or [one for one in control.select("option") if one.get("value")][:1]
        )
        return [str(option.get("value", "")) for option in options[:1]]
    if kind in {"checkbox", "radio"}:
        return [str(control.get("value", "on"))] if control.has_attr("checked") else []
    if control.name == "textarea":
        return [control.get_text().strip() or "Some words, long enough to be a reason."]
    return [str(control.get("value") or FILLERS.get(kind, "Some words"))]


def samples(number: int, count: int) -> Iterator[str]:
    """Of the hostile values ``count``, other ones for every field, the same ones in every run; first the worst of all."""
    yield "a\x00b"
    step = max(1, len(hostile.VALUES) // count)
    for place in range(count):
        yield hostile.VALUES[(number * 7 + place * step) % len(hostile.VALUES)]


@pytest.mark.parametrize("part", range(PARTS))
def test_p13_no_field_of_any_form_breaks_anything(
    walker: Walker, pages: dict[str, BeautifulSoup], repeat: Callable[[int, int], int], part: int
) -> None:
    found = [form for form in forms(walker, pages) if form.method == "POST"]
    assert len({form.endpoint for form in found}) > 20, "the walk has lost its way"
    type_into(walker, found, repeat(6, len(hostile.VALUES)), part)


def test_p13_no_field_of_a_stranger_breaks_anything(stranger: Walker, repeat: Callable[[int, int], int]) -> None:
    found = forms(stranger, crawl(stranger, "/sign-in", "/sign-in?next=/rewards"))
    type_into(stranger, found, repeat(4, 40))


def type_into(walker: Walker, found: list[Form], count: int, part: int | None = None) -> None:
    """Each of ``count`` values into every field, or into those of one part of the fields."""
    fields = [(form, name) for form in found for name in form.names]
    for number, (form, name) in enumerate(fields):
        for value in samples(number, count) if part in {None, number % PARTS} else ():
            walker.send(
                f"POST {form.action} {name}={value[:60]!r}",
                form.action,
                may_turn=name in form.paragraphs,
                method="POST",
                data=form.with_value(name, value),
                content_type="application/x-www-form-urlencoded",
            )


@pytest.mark.parametrize("part", range(PARTS))
def test_p13_no_parameter_of_any_page_breaks_anything(
    walker: Walker, pages: dict[str, BeautifulSoup], repeat: Callable[[int, int], int], part: int
) -> None:
    count = repeat(4, len(hostile.VALUES))
    for number, (path, name, is_its_own) in enumerate(parameters(walker, pages)):
        for value in samples(number, count if is_its_own else 2) if number % PARTS == part else ():
            if len(value) <= 2_000:  # servers take no longer line
                walker.send(f"GET {path}?{name}={value[:60]!r}", path, query_string=hostile.encode([(name, value)]))


def parameters(walker: Walker, pages: dict[str, BeautifulSoup]) -> Iterator[tuple[str, str, bool]]:
    """Address, name, and whether the page or a link to it has that name itself."""
    names: dict[str, set[str]] = {}
    paths: dict[str, str] = {}
    for url, soup in pages.items():
        endpoint = walker.endpoint(url) or ""
        paths.setdefault(endpoint, urlsplit(url).path)
        own = names.setdefault(endpoint, set())
        own |= {name for name, _ in parse_qsl(urlsplit(url).query)}
        own |= {str(tag["name"]) for tag in soup.select("form[method=get] [name], form:not([method]) [name]")}
    for endpoint, path in paths.items():
        for name in sorted({*names[endpoint], *PARAMETERS}):
            yield path, name, name in names[endpoint]


def test_p13_no_address_breaks_anything(walker: Walker, repeat: Callable[[int, int], int]) -> None:
    count = repeat(4, len(ODD_PARTS))
    for number, rule in enumerate(walker.app.url_map.iter_rules()):
        if rule.endpoint in LEFT_OUT or not rule.arguments:
            continue
        for place in range(count):
            part = ODD_PARTS[(number + place * max(1, len(ODD_PARTS) // count)) % len(ODD_PARTS)]
            path = re.sub("<[^>]+>", lambda _, part=part: part, rule.rule)
            for method in sorted({"GET", "POST"} & set(rule.methods or ())):
                walker.send(f"{method} {path[:120]}", path, method=method)


def test_p13_no_name_of_a_file_breaks_anything(walker: Walker, pages: dict[str, BeautifulSoup]) -> None:
    uploads = [form for form in forms(walker, pages) if form.files]
    assert uploads
    for form in uploads:
        for name in FILE_NAMES:
            for content in (b"external_id,tickets\nM1,1\n", b"\x00" * 64, b""):
                body = multipart(form, name, content)
                kind = "multipart/form-data; boundary=b0undary"
                what = f"POST {form.action} file {name[:40]!r}"
                walker.send(what, form.action, method="POST", data=body, content_type=kind)


def multipart(form: Form, filename: str, content: bytes) -> bytes:
    """The body a program without manners would send: nothing of the file's name is escaped."""
    head = '--b0undary\r\nContent-Disposition: form-data; name="{}"{}\r\n\r\n'
    name = f'; filename="{filename}"'
    fields = [f"{head.format(key, '')}{value}\r\n".encode() for key, value in form.values]
    files = [head.format(key, name).encode("utf-8", "surrogatepass") + content + b"\r\n" for key in form.files]
    return b"".join([*fields, *files, b"--b0undary--\r\n"])


def test_p13_no_header_breaks_anything(walker: Walker, stranger: Walker) -> None:
    values = ("\x01", "\xff\xfe", "x" * 4_000, "session=\xff; theme=\xff; visit=.e30", hostile.TRICKS[0], "%00")
    for header in ("Cookie", "User-Agent", "Accept-Language", "HX-PTag", "If-None-Match", "Referer", "X-Request-Id"):
        for value in values:
            for path in ("/sign-in", "/today", "/jobs"):
                for who in (stranger, walker):
                    who.send(f"{header}: {value[:40]!r} on {path}", path, headers={header: value})
