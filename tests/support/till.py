"""A till as a program of its own: signs in at a server with a password and sends its forms as a browser would."""

from __future__ import annotations

from http.client import HTTPConnection, HTTPResponse
from http.cookies import SimpleCookie
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from bs4 import BeautifulSoup

PHRASE = "a-long-enough-sentence-42"
LONGEST_WAIT = 60  # seconds


class Till:
    """One browser with its cookies; `form` is what the last page it read would send."""

    def __init__(self, url: str) -> None:
        self.address = str(urlsplit(url).netloc)
        self.line = HTTPConnection(self.address, timeout=LONGEST_WAIT)
        self.cookies: dict[str, str] = {}
        self.form: dict[str, str] = {}

    def sign_in(self, email: str) -> None:
        """By the page, with the password."""
        self.read("/sign-in", "form")
        assert self.send("/sign-in", self.form | {"email": email, "password": PHRASE}).status == 303

    def read(self, path: str, form: str = "#till") -> str:
        """A page and, remembered, the fields of one of its forms."""
        self.line.request("GET", path, headers=self._headers)
        answer = self._kept(self.line.getresponse())
        page = answer.read().decode()
        assert answer.status == 200, f"{path}: {answer.status}"
        fields = BeautifulSoup(page, "html.parser").select(f"{form} [name]")
        self.form = {str(field["name"]): str(field.get("value", "")) for field in fields}
        return page

    def send(self, path: str, fields: dict[str, str]) -> HTTPResponse:
        """Send a form and read the answer, on the line that is kept open."""
        self.begin(self.line, path, fields)
        answer = self._kept(self.line.getresponse())
        answer.read()
        return answer

    def begin(self, line: HTTPConnection, path: str, fields: dict[str, str]) -> None:
        """Send a form and do not wait for the answer."""
        line.request("POST", path, urlencode(fields), self._headers)

    def press(self, path: str) -> HTTPConnection:
        """Press «Redeem» on a page of one's own, whose form counts for itself, and do not wait for the answer."""
        line = HTTPConnection(self.address, timeout=LONGEST_WAIT)
        self.begin(line, path, self.form | {"request_key": uuid4().hex})
        return line

    @property
    def _headers(self) -> dict[str, str]:
        return {
            "Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()),
            "Content-Type": "application/x-www-form-urlencoded",
        }

    def _kept(self, answer: HTTPResponse) -> HTTPResponse:
        for header in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: cookie.value for name, cookie in SimpleCookie(header).items()}
        return answer
