"""benefits.md 5.9: what is archived or closed while a form is open is refused with its own reason, not as a bad choice."""

from __future__ import annotations

import pytest

from tests.support.benefits import T, programme
from tests.support.clock import NOW

ISSUE, CLAIM, BATCH = "/benefits/new", "/benefits/claim", "/benefits/batches/new"


@pytest.fixture
def d(make, actor, moment):
    moment.now = T
    return programme(make, actor, is_claimable=True)


def answer(page):
    """What the page says went wrong, wherever it says it."""
    return " ".join(page.texts(".refusals") + page.texts(".field__error"))


def chosen(page, field):
    option = page.soup.select_one(f"#{field} option[selected]")
    return option["value"], option.get_text()


@pytest.mark.parametrize(
    ("address", "changes", "told"),
    [
        (ISSUE, {"is_archived": True}, "archived"),
        (ISSUE, {"is_assignable": False}, "cannot be issued by staff, files or rules"),
        (CLAIM, {"is_archived": True}, "archived"),
        (CLAIM, {"is_claimable": False}, "cannot be claimed"),
        (BATCH, {"is_archived": True}, "archived"),
        (BATCH, {"is_assignable": False}, "cannot be issued by staff, files or rules"),
    ],
    ids=["13.1 is_archived, issue", "13.1 is_assignable false, issue", "13.1 is_archived, claim",
         "13.1 is_claimable false, claim", "13.1 is_archived, batch", "13.1 is_assignable false, batch"],
)  # fmt: skip
def test_5_9_a_gate_that_shuts_while_the_form_is_open_answers_with_its_sentence(console, d, address, changes, told):
    console.get(address)
    d.change(**changes)
    typed = {"definition_id": d.definition.id, "person": d.person.external_id, "audience": "list", "count": 0}
    page = console.post(address, typed | {"listed": d.person.external_id}, 422)
    assert told in answer(page)
    assert "Not a valid choice" not in page.text
    number, name = chosen(page, "definition_id")
    assert (number, name.split(" – ")[0]) == (str(d.definition.id), "Coffee")


def test_a_definition_of_another_site_or_of_none_is_no_choice(signed_in, d, make):
    editor = signed_in("editor", site_id=make.site().id)
    for number in (d.definition.id, 4711, 10**30, -1, "x"):
        page = editor.post(ISSUE, {"definition_id": number, "person": d.person.external_id}, 422)
        assert page.texts("#definition_id-error") == ["Choose one of the list."]
        assert "Coffee" not in page.text


def test_the_page_of_an_archived_definition_leads_to_its_own_refusal(console, d):
    d.change(is_archived=True)
    page = console.get(f"{ISSUE}?definition={d.definition.id}&profile={d.person.id}")
    assert chosen(page, "definition_id")[0] == str(d.definition.id)


def test_a_group_archived_while_the_plan_is_open_is_told_as_that(console, d, make):
    group = make.group(title="Choir", archived_at=NOW)
    typed = {"definition_id": d.definition.id, "audience": "group", "group_id": group.id}
    page = console.post(BATCH, typed, 422)
    assert page.texts("#group_id-error") == ["«Choir» is archived; choose another group, or restore it."]
    page = console.post(BATCH, typed | {"group_id": 4711}, 422)
    assert page.texts("#group_id-error") == ["Choose one of the list."]


def test_a_place_closed_while_the_form_is_open_is_told_as_that(console, d, make):
    place = make.location(title="Hull", closed_at=NOW)
    benefit = d.issue()
    page = console.post(f"/benefits/{benefit.id}/redeem", {"count": 1, "location_id": place.id}, 422)
    assert page.texts("#location_id-error") == ["«Hull» is closed for good; choose another place, or none."]
    page = console.post("/till/place", {"place": place.id}, 422)
    assert "«Hull» is closed for good; choose another place, or none." in page.text
    console.post("/till/place", {"place": ""})


def test_a_target_archived_while_the_form_is_open_is_told_as_that(console, d, make):
    target = make.target(site_id=d.definition.site_id, title="Hello", archived_at=NOW)
    typed = {"name": "D", "handle": "new", "period": 30, "site_id": d.definition.site_id, "notify_issue_offset_days": 0}
    page = console.post("/benefits/definitions/new", typed | {"issue_target_id": target.id}, 422)
    assert page.texts("#issue_target_id-error") == ["«Hello» is archived; choose another target, or restore it."]


def test_an_organisation_archived_while_roles_are_given_is_told_as_that(console, make):
    member = make.staff()
    away = make.organisation(title="Hull", archived_at=NOW)
    typed = {"within_role": "editor", "within_site": "all", "within_listed": away.id}
    page = console.post(f"/staff/{member.id}/edit", typed, 422)
    assert page.texts("#within_listed-error") == ["«Hull» is archived; choose another organisation, or restore it."]


def test_a_type_or_a_tier_that_is_gone_is_told_by_the_rule(console, make):
    page = console.post("/organisations/new", {"title": "A", "external_id": "a", "type_id": 4711}, 422)
    assert page.texts("#type_id-error") == ["Choose one of the types in the list."]
    page = console.submit(console.get("/profiles/new"), "form#form", status=422, first_name="Ann", tier="gone")
    assert page.texts("#tier-error") == ["There is no tier named «gone»; choose one from the list."]


def test_an_answer_taken_off_the_list_of_a_fact_is_told_at_its_field(console, make):
    fact = make.fact("choice", choices=["S", "M"])
    typed = {"first_name": "Ann", f"attributes-{fact.name}": "XL"}
    page = console.submit(console.get("/profiles/new"), "form#form", status=422, **typed)
    assert page.texts(".field__error") == ["Choose one of the list."]
