"""What people type about their own account. Passwords are taken as they are: nothing is trimmed."""

from __future__ import annotations

from wtforms import PasswordField
from wtforms.validators import InputRequired, Length

from webapp.domain import till_lock
from webapp.domain.staff import LONGEST_PASSWORD, SHORTEST
from webapp.services.staff_account import ChooseSite, RenameSelf
from webapp.web.fields import TextField, WholeField
from webapp.web.forms import CommandForm, PressForm

_TOO_LONG = Length(max=1_000, message="This is too long for a password.")


class NameForm(CommandForm[RenameSelf]):
    command = RenameSelf

    name = TextField("Your name", length=120, required=True, description="As colleagues and the audit log show it.")


class SiteForm(CommandForm[ChooseSite]):
    command = ChooseSite

    site_id = WholeField("Site", most=2**31 - 1, required=False)  # empty: all of them


class CodeForm(PressForm):
    code = TextField("Code", length=12, required=True, description="The six digits your authenticator shows now.")


class PasswordForm(PressForm):
    present_password = PasswordField("Present password", [InputRequired("Enter the password you have now."), _TOO_LONG])
    password = PasswordField(
        "New password",
        [InputRequired("Choose a new password."), _TOO_LONG],
        description=f"{SHORTEST} to {LONGEST_PASSWORD} characters, any signs. Four or five unrelated words are good.",
    )


class PinForm(PressForm):
    """Both are secrets: nothing of them goes into a digest."""

    present_password = PasswordField("Password", [InputRequired("Enter your password."), _TOO_LONG])
    pin_code = PasswordField(
        "New PIN",
        [_TOO_LONG],
        description=f"{till_lock.SHORTEST} to {till_lock.LONGEST} digits. Leave it empty to have none.",
    )
