"""What is typed to get in. Passwords are taken as they are: nothing is trimmed."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import EmailInput

from webapp.domain.staff import LONGEST_PASSWORD, SHORTEST
from webapp.web.fields import TextField

_MOST_KEPT = 200_000  # characters of an interrupted form that travel through sign-in


class SignInForm(FlaskForm):  # type: ignore[misc]
    """``next`` is where to go, ``kept`` a form that was interrupted (see ``expired``)."""

    email = TextField("E-mail address", length=254, required=True, widget=EmailInput())
    password = PasswordField(
        "Password",
        [InputRequired("Enter the password."), Length(max=1_000, message="This is too long for a password.")],
    )
    next = HiddenField()
    kept = HiddenField(validators=[Length(max=_MOST_KEPT)])


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The second step; ``next`` and ``kept`` are those of ``SignInForm``."""

    code = TextField(
        "Code",
        length=40,
        required=True,
        description="Six digits from your authenticator, or one of your recovery codes.",
    )
    next = HiddenField()
    kept = HiddenField(validators=[Length(max=_MOST_KEPT)])


class ConfirmForm(FlaskForm):  # type: ignore[misc]
    """The password again; ``next`` is where to go. The field has the name of ``proofs.AGAIN``."""

    password_again = PasswordField(
        "Your password",
        [InputRequired("Enter your password."), Length(max=1_000, message="This is too long for a password.")],
    )
    next = HiddenField()


class InvitationForm(FlaskForm):  # type: ignore[misc]
    """Name and password of somebody who was invited."""

    name = TextField("Your name", length=120, required=True, description="As colleagues and the audit log show it.")
    password = PasswordField(
        "Password",
        [InputRequired("Choose a password."), Length(max=1_000, message="This is too long for a password.")],
        description=f"{SHORTEST} to {LONGEST_PASSWORD} characters, any signs. Four or five unrelated words are good.",
    )
