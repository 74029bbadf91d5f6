"""What is kept of lists that left as files, and of the audit log's end that was told outside."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from webapp.domain.exports import Media
from webapp.domain.permissions import Role
from webapp.jobs import audit as linking
from webapp.services import audit, exports

if TYPE_CHECKING:
    from webapp.demo.programme import Builder

AUDITOR = "auditor@harbour.example"
# Who, how many days ago, which list, as what, what for, narrowed to, how many rows; None: broken off.
_TAKEN: tuple[tuple[Role, int, str, Media, str, dict[str, str], int | None], ...] = (
    (Role.EDITOR, 30, "profiles", Media.CSV, "Address check for the spring mailing", {"q": "a"}, 112),
    (Role.FULFILMENT, 9, "winners", Media.XLSX, "Labels for the parcels of August", {"column": "accepted"}, 1),
    (Role.VIEWER, 5, "rewards", Media.XLSX, "", {}, 6),
    (Role.EDITOR, 3, "profiles", Media.CSV, "Comparing members with the tills", {}, None),
)


def build(builder: Builder) -> None:
    """Exports that ended and one that was broken off; an anchor with an auditor and one in a file."""
    for role, days, kind, media, reason, filters, row_count in _TAKEN:
        ago = timedelta(days=days)
        command = exports.TakeList(kind, media, reason, filters)
        run = builder.do(role, ago, partial(exports.take, command=command))
        if row_count is not None:
            end = exports.FinishExport(run.id, row_count)
            builder.do(role, ago, partial(exports.finish, command=end))
    linking.run_due(builder.sessions)
    now = timedelta()
    builder.do(Role.ADMINISTRATOR, now, lambda work: audit.anchor_in_file(work, "anchors.txt"))
    builder.do(Role.ADMINISTRATOR, now, lambda work: audit.anchor_by_mail(work, [AUDITOR]))
