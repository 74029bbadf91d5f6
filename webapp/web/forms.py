"""The base form and the one road from a POST to a service."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from uuid import uuid4

from flask import request
from flask_wtf import FlaskForm
from wtforms import HiddenField
from wtforms.csrf.core import CSRFTokenField

from webapp.domain.errors import DomainError
from webapp.services.work import RequestStamp, Work
from webapp.services.writer import Shared
from webapp.web.proofs import AGAIN
from webapp.web.work import perform

C = TypeVar("C")
T = TypeVar("T")
_KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")  # what we hand out, and what a program may choose for itself


class _TokenField(CSRFTokenField):  # type: ignore[misc]
    """Makes its token when a page shows it: whoever pressed a button is led elsewhere, and none is needed."""

    def process(self, *args: Any, **kwargs: Any) -> None:
        HiddenField.process(self, *args, **kwargs)

    def _value(self) -> str:
        return str(self.csrf_impl.generate_csrf_token(self))


class _Tokens(FlaskForm.Meta.csrf_class):  # type: ignore[misc]
    field_class = _TokenField


class CommandForm(FlaskForm, Generic[C]):  # type: ignore[misc]
    """A form checks shape only; rules live in services.

    Field names are the names of the command's attributes, so a refusal finds its field. ``request_key``
    is new with every page and makes the form count once, however often it is sent.
    """

    command: type[C]
    steering: frozenset[str] = frozenset()  # fields that only say how others are read

    request_key = HiddenField()

    class Meta(FlaskForm.Meta):  # type: ignore[misc]
        csrf_class = _Tokens

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not _KEY.fullmatch(self.request_key.data or ""):
            self.request_key.data = uuid4().hex

    def to_command(self, **route: object) -> C:
        """The command from what was typed and what the address says; the address wins."""
        names = self.command.__dataclass_fields__  # type: ignore[attr-defined]
        typed = {name: self[name].data for name in names if name in self._fields}
        return self.command(**typed | route)

    def shared(self, _command: C) -> Shared | None:
        """By what it shares its commit with others, if it is sent so often at once that they wait (``services.writer``)."""
        return None

    def submit(self, service: Callable[[Work, C], T], **route: object) -> T | None:
        """Validate, run the service in one transaction, or put its refusal on the form."""
        if not self.validate_on_submit():
            return None
        try:
            command = self.to_command(**route)
            return perform(lambda work: service(work, command), self.stamp(), self.shared(command))
        except DomainError as error:
            self.refuse(error)
            self.request_key.data = self.request_key.data if error.code == "busy" else uuid4().hex
            return None

    def stamp(self) -> RequestStamp:
        """The key this form carries and the digest of its address and content."""
        content = [request.path]
        content += sorted(
            f"{name}={value}"
            for name, values in request.form.lists()
            if name not in {"csrf_token", "request_key", AGAIN}
            for value in values
        )
        content += sorted(f"{name}={upload.filename}" for name, upload in request.files.items())
        digest = hashlib.sha256("\n".join(content).encode("utf-8", "surrogatepass")).hexdigest()
        return RequestStamp(str(self.request_key.data)[:64], digest)

    @property
    def status(self) -> int:
        """200 for a fresh form, 422 for one sent back, 409 and 503 where the refusal says so."""
        return self._refused_with or (422 if self.errors or self.turned_down else 200)

    _refused_with: int = 0
    refused_by = ""  # the code of the rule that refused last
    turned_down = False  # for a ``validate`` of a form's own whose complaint is inside a list of rows

    def refuse(self, error: DomainError) -> None:
        """Put a refusal on its field, or on top when it belongs to none on this page."""
        self.refused_by = error.code
        self._refused_with = {"Conflict": 409, "Busy": 503}.get(type(error).__name__, 422)
        if error.field in self._fields:
            field = self._fields[error.field]
            field.errors = [*field.errors, error.message]
        else:
            self.form_errors.append(error.message)


class PressForm(CommandForm[None]):
    """A button and nothing typed: the form of a verb whose facts are all in the address."""

    def press(self, act: Callable[[Work], T]) -> T | None:
        """Run ``act`` once for this key, or put its refusal on the form."""
        if not self.validate_on_submit():
            return None
        try:
            return perform(act, self.stamp())
        except DomainError as error:
            self.refuse(error)
            self.request_key.data = uuid4().hex
            return None
