"""A browser for tests: every page it opens must be valid, titled, accessible and cheap."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import html5lib
from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

MOST_STATEMENTS = 8
WORKS_WITHOUT_HTMX = {"form", "a", "input", "button", "select", "textarea"}
ASKS = ("hx-get", "hx-post", "hx-put", "hx-patch", "hx-delete")
LABELLED = "input:not([type=hidden]):not([type=submit]):not([type=button]), select, textarea"
BOOKKEEPING = ("SAVEPOINT", "RELEASE", "ROLLBACK", "BEGIN", "COMMIT", "PRAGMA")


@dataclass
class Page:
    """One answer, as text and as a tree."""

    response: TestResponse
    soup: BeautifulSoup

    @property
    def text(self) -> str:
        """Everything a person reads on it, spaces evened out."""
        return " ".join(self.soup.get_text(" ").split())

    def texts(self, selector: str) -> list[str]:
        return [" ".join(element.get_text().split()) for element in self.soup.select(selector)]

    def one(self, selector: str) -> Tag:
        found = self.soup.select(selector)
        assert len(found) == 1, f"{len(found)} elements match {selector}"
        return found[0]

    def fields(self, selector: str = "main form") -> dict[str, Any]:
        """What the form would send if nothing were typed."""
        values: dict[str, Any] = {}
        for control in self.one(selector).select("input[name], select[name], textarea[name]"):
            value = _value(control)
            if value is not None:
                name = str(control["name"])
                values[name] = [*_as_list(values[name]), value] if name in values else value
        return values


class Console:
    """A signed-in person's browser; `moment` is where the clock stands in every request."""

    def __init__(self, client: FlaskClient, forget: Callable[[], None] = lambda: None) -> None:
        self.client = client
        self.forget = forget
        self.statements: list[str] = []

    def count_statement(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not statement.lstrip().upper().startswith(BOOKKEEPING):
            self.statements.append(statement)

    def get(self, url: str, status: int = 200, **options: Any) -> Page:
        self.statements.clear()
        response = self.client.get(url, **options)
        page = self._page(response, status)
        assert len(self.statements) <= MOST_STATEMENTS, "\n".join(self.statements)
        return page

    def part(self, url: str, status: int = 200) -> Page:
        return self.get(url, status, headers={"HX-Request": "true", "HX-Request-Type": "partial"})

    def post(self, url: str, data: dict[str, Any] | None = None, status: int = 303, **options: Any) -> Page:
        return self._page(self.client.post(url, data=data or {}, **options), status)

    def submit(self, page: Page, selector: str = "main form", status: int = 303, **values: Any) -> Page:
        """Send a form as the page shows it, with some values typed in; the names must be on the form."""
        form, fields = page.one(selector), page.fields(selector)
        names = {str(control["name"]) for control in form.select("[name]")}
        assert values.keys() <= names, f"not on the form: {sorted(values.keys() - names)}"
        return self.post(str(form.get("action") or page.response.request.path), fields | values, status)

    def follow(self, page: Page, status: int = 200) -> Page:
        """Go where the answer sends the browser."""
        return self.get(page.response.headers["Location"], status)

    def _page(self, response: TestResponse, status: int) -> Page:
        self.forget()
        text = (
            response.get_data(as_text=True)
            if (response.mimetype or "").startswith(("text/", "application/json"))
            else ""
        )
        soup = BeautifulSoup(text, "html.parser")
        page = Page(response, soup)
        assert response.status_code == status, f"{response.status_code}, not {status}: {page.text[:1500]}"
        if response.mimetype == "text/html" and status not in range(300, 400) and status != 204:
            check(text, soup)
        return page


def check(text: str, soup: BeautifulSoup) -> None:
    """Fail on the first thing that no page of ours may do."""
    whole = text.lstrip().lower().startswith("<!doctype")
    parser = html5lib.HTMLParser(strict=True)
    parser.parse(text) if whole else parser.parseFragment(text)
    _check_ids(soup)
    _check_controls(soup)
    _check_behaviour(soup)
    if whole:
        headings = soup.select("h1")
        assert len(headings) == 1, f"{len(headings)} h1 on one page"
        heading = " ".join(headings[0].get_text().split())
        title = " ".join(soup.title.get_text().split()) if soup.title else ""
        assert title.startswith(heading), f"the title «{title}» does not repeat the heading «{heading}»"
    else:
        roots = [child.name for child in soup.contents if isinstance(child, Tag) and child.name != "hx-partial"]
        assert len(roots) <= 1, f"a part has one root, not {roots}"


def _check_ids(soup: BeautifulSoup) -> None:
    ids = [str(element["id"]) for element in soup.select("[id]")]
    twice = {name for name in ids if ids.count(name) > 1}
    assert not twice, f"ids used twice: {sorted(twice)}"
    for element in soup.select("label[for], [aria-describedby], [aria-labelledby], [aria-controls]"):
        if soup.html:
            for attribute in ("for", "aria-describedby", "aria-labelledby", "aria-controls"):
                lost = set(str(element.get(attribute) or "").split()) - set(ids)
                assert not lost, f"{attribute} points at nothing: {sorted(lost)}"


def _check_controls(soup: BeautifulSoup) -> None:
    for control in soup.select(LABELLED):
        labelled = (
            control.find_parent("label") or control.get("aria-label") or control.get("aria-labelledby")
            or (control.get("id") and soup.find("label", attrs={"for": control["id"]}))
        )  # fmt: skip
        assert labelled, f"no label for {control}"
    for button in soup.select("button, a[href]"):
        name = button.get_text().strip() or button.get("aria-label") or button.select_one("[alt], title")
        assert name, f"nothing to read on {button}"
    for form in soup.select("form"):
        method = str(form.get("method", "get")).lower()
        assert method in {"get", "post"}, f"a form cannot {method}"


def _check_behaviour(soup: BeautifulSoup) -> None:
    for element in soup.select("*"):
        handlers = [name for name in element.attrs if name.startswith(("on", "hx-on"))]
        assert not handlers, f"behaviour in the page itself: {handlers} on {element.name}"
        assert "style" not in element.attrs, f"style in the page itself: {element.name} {element['style']}"
        if any(name.split(":")[0] in ASKS for name in element.attrs) and element.name not in WORKS_WITHOUT_HTMX:
            polls = re.search(r"\b(load|every|revealed|intersect)\b", str(element.get("hx-trigger", "")))
            assert polls, f"htmx on <{element.name}>, which does nothing without it"
        assert not str(element.get("href", "")).lower().startswith("javascript:"), f"script in a link: {element}"
        values = " ".join(str(value) for name, value in element.attrs.items() if name.startswith("hx-"))
        assert "js:" not in values, f"htmx that needs eval: {element.name}"
    assert not soup.select("style"), "style in the page itself"
    for script in soup.select("script"):
        assert script.get("src") or script.get("type") == "application/json", "script in the page itself"


def _value(control: Tag) -> str | list[str] | None:
    if control.name == "textarea":
        return control.get_text().removeprefix("\n")
    if control.name == "select":
        chosen = control.select("option[selected]") or (
            [] if control.has_attr("multiple") else control.select("option")[:1]
        )
        values = [str(option.get("value", option.get_text())) for option in chosen]
        return values if control.has_attr("multiple") else (values[0] if values else None)
    if control.get("type") in {"checkbox", "radio"}:
        return str(control.get("value", "on")) if control.has_attr("checked") else None
    return None if control.get("type") in {"file", "submit", "button"} else str(control.get("value", ""))


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
