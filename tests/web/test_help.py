"""The handbook has a page for every topic, names every permission, event, setting and command, and maps the seed."""

from dataclasses import fields

import pytest

from webapp.config import Settings
from webapp.domain import glossary
from webapp.domain.audit import Event
from webapp.domain.permissions import Permission


@pytest.mark.parametrize("topic", glossary.TOPICS, ids=lambda topic: topic.handle)
def test_every_topic_has_a_page(console, topic):
    assert console.get(f"/help/{topic.handle}").texts("h1") == [topic.title]


def test_an_unknown_topic_is_not_found(console):
    console.get("/help/nothing-here", status=404)


def test_the_attribute_mapping_is_listed(console):
    page = console.get("/help")
    assert [text for text in page.texts("#attributes code") if text.startswith("fulfil")] == [
        "fulfiledDate",
        "fulfilled_at",
    ]


def test_every_permission_event_and_setting_is_named(console):
    staff = console.get("/help/staff").texts("code")
    assert {str(item) for item in Permission} - set(staff) == {"public", "signed-in"}
    assert {str(event) for event in Event} <= set(console.get("/help/audit").texts("code"))
    told = {name for name, _ in glossary.SETTINGS}
    assert {f"LARGESSE_{item.name.upper()}" for item in fields(Settings)} - told == {"LARGESSE_THREADS"}
