"""Jobs, stored files and messages."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.factories.base import Rows
from tests.support.clock import NOW
from webapp.domain.identity import Actor
from webapp.models import Job, OutboxMessage, StoredFile
from webapp.services import files
from webapp.services.work import Work


class LongWork(Rows):
    """What waits to be done, and what was made."""

    def job(self, **changes: Any) -> Job:
        values: dict[str, Any] = {
            "kind": "count",
            "title": f"Count to ten, time {self.next_number}",
            "created_at": NOW,
            "created_by": "Ann Able",
        }
        return self.add(Job(**values | changes))

    def file(self, content: bytes = b"a,b\n1,2\n", name: str = "list.csv", **changes: Any) -> StoredFile:
        file = files.store(Work(self.session, Actor("Ann Able"), NOW), name, "text/csv", [content])
        for attribute, value in changes.items():
            setattr(file, attribute, value)
        return self.add(file)

    def message(self, **changes: Any) -> OutboxMessage:
        number = self.next_number
        values: dict[str, Any] = {
            "dedupe_key": f"test:{number}",
            "recipient": f"person{number}@example.org",
            "subject": f"Message {number}",
            "body": "Good news.\n",
            "due_at": NOW - timedelta(minutes=1),
            "created_at": NOW - timedelta(minutes=1),
        }
        return self.add(OutboxMessage(**values | changes))
