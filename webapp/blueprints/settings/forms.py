"""What an administrator chooses for the whole account."""

from __future__ import annotations

from wtforms import BooleanField

from webapp.services.settings import ChangeSettings
from webapp.web.fields import TextField
from webapp.web.forms import CommandForm
from webapp.web.versions import VersionField


class SettingsForm(CommandForm[ChangeSettings]):
    command = ChangeSettings

    is_small_team = BooleanField(
        "Small-team mode",
        description="One person may hold conflicting roles, and may seal and draw the same draw. "
        "Every page and every draw certificate says so for as long as it is on.",
    )
    is_second_factor_optional = BooleanField(
        "Second factor optional",
        description="Draw supervisors and administrators may sign in with a password alone. "
        "Every page says so for as long as it is on.",
    )
    anchor_emails = TextField(
        "Who is told where the audit log ends",
        length=500,
        description="E-mail addresses with commas between them, best outside this house. Whenever the log has grown, at "
        "most once an hour, they get the number and the digest of its last entry: with it nobody can cut off or rewrite "
        "the log unseen.",
    )
    version = VersionField()
