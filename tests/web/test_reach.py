"""Roles within an organisation: the people who belong there, what they hold, and the till (product 3.1, K150)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import delete, func, select

from tests.factories import NOW
from tests.support.signing_in import sign_in
from webapp.domain.identity import Actor, Grant, Reach
from webapp.domain.permissions import Permission, Role
from webapp.domain.voucher_codes import normalise
from webapp.domain.vouchers import VoucherStatus
from webapp.models import (
    Benefit,
    BenefitDefinition,
    Membership,
    Organisation,
    Profile,
    ProfileMerge,
    Redemption,
    RedemptionAttempt,
    Site,
    StaffGrant,
)


@dataclass
class Chain:
    """Two organisations below one, a person each, two sites with a definition each."""

    mine: Organisation
    beside: Organisation
    site: Site
    other_site: Site
    coffee: BenefitDefinition
    tea: BenefitDefinition
    ann: Profile  # of a branch below mine
    bob: Profile  # of the organisation beside it
    held: dict[str, Benefit] = field(default_factory=dict)


@pytest.fixture
def chain(make):
    top = make.organisation(title="Top")
    mine, beside = make.organisation(top, title="Mine"), make.organisation(top, title="Beside")
    branch, group = make.organisation(mine, title="Branch"), make.group(title="Club")
    site, other_site = make.site(title="North"), make.site(title="South")
    coffee = make.benefit_definition(name="Coffee", site_id=site.id, max_redemptions=5, is_claimable=True)
    tea = make.benefit_definition(name="Tea", site_id=other_site.id, max_redemptions=5, is_claimable=True)
    ann = make.profile(first_name="Ann", last_name="Archer", external_id="ANN", email="ann@example.com")
    bob = make.profile(first_name="Bob", last_name="Baker", external_id="BOB", email="bob@example.com")
    make.member(group, ann, branch)
    make.member(group, bob, beside)
    made = Chain(mine, beside, site, other_site, coffee, tea, ann, bob)
    for person in (ann, bob):
        for definition in (coffee, tea):
            code = f"{definition.name}{person.first_name}".upper() * 2  # no two of them are near one another
            held = make.benefit(definition, person, redeem_code_pos=code, code_key=normalise(code))
            made.held[f"{person.first_name} {definition.name}"] = held
    return made


@pytest.fixture
def browser_with(make, new_console, session):
    """`browser_with(Grant(Role.TILL, 3, 7), …)`: a browser of somebody with just these grants."""

    def open_for(*grants: Grant):
        member = make.staff(email=f"bound-{len(grants)}-{make.next_number}@example.org")
        for grant in grants:
            make.add(StaffGrant(staff_id=member.id, **{name: getattr(grant, name) for name in Grant.__slots__}))
        console = new_console()
        sign_in(console.client, session, Actor(member.name, member.id, frozenset(grants)))
        return console

    return open_for


def scan(browser: Any, code: str | None, status: int = 303) -> Any:
    return browser.submit(browser.get("/till"), "#scan", status=status, code=code)


def redemptions(session: Any) -> list[int]:
    session.expire_all()
    return list(session.scalars(select(Redemption.benefit_id).order_by(Redemption.id)))


def test_k150_a_bound_till_redeems_and_takes_back_what_its_people_hold(browser_with, chain, session):
    till = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id))
    verdict = till.follow(scan(till, chain.held["Ann Coffee"].redeem_code_pos))
    assert verdict.texts(".verdict__word") == ["Good"]
    shown = till.follow(till.submit(verdict, "#till"))
    assert "Redeemed" in shown.texts("h1")[0]
    assert redemptions(session) == [chain.held["Ann Coffee"].id]
    till.submit(shown, "form.undo")
    assert redemptions(session) == [chain.held["Ann Coffee"].id] * 2
    assert till.get("/till").texts(".till__receipts li .tag") == ["reversed", "redeemed"]


@pytest.mark.parametrize("held", ["Bob Coffee", "Bob Tea", "Ann Tea"])
def test_k150_outside_a_code_is_unknown_and_the_try_is_kept(browser_with, chain, session, held):
    """Another organisation's person, and another site's benefit of one's own: as a code that nobody knows."""
    till, code = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id)), chain.held[held].redeem_code_pos
    page, nobodys = scan(till, code, 422), scan(till, "NOSUCHCODE", 422)
    assert page.texts(".verdict__word") == nobodys.texts(".verdict__word") == ["Unknown code"]
    assert page.texts("main p") == nobodys.texts("main p")
    kept = session.execute(select(RedemptionAttempt.reason, RedemptionAttempt.benefit_id)).all()
    assert kept == [("unknown_code", None)] * 2


@pytest.mark.parametrize("held", ["Bob Coffee", "Bob Tea", "Ann Tea"])
def test_k150_the_verb_refuses_too(browser_with, chain, session, held, make):
    """A form drawn for one's own benefit, sent to the address of another's, redeems nothing."""
    till = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id))
    own = till.get(f"/till/benefits/{chain.held['Ann Coffee'].id}")
    sent = {node["name"]: node.get("value", "") for node in own.soup.select("#till [name]")}
    till.get(f"/till/benefits/{chain.held[held].id}", status=404)
    till.post(f"/till/benefits/{chain.held[held].id}", status=404, data=sent)
    line = make.redemption(chain.held[held])
    for path in (f"/till/redemptions/{line.id}", f"/benefits/redemptions/{line.id}/return"):
        till.get(path, status=404)
    till.post(f"/till/redemptions/{line.id}/undo", status=404, data=sent)
    assert redemptions(session) == [chain.held[held].id]  # the one this test made


def test_k150_pairs_of_site_and_organisation_are_exact_at_the_till(browser_with, chain):
    """(till, North, Mine) and (till, South, Beside) do not give (North, Beside) nor (South, Mine)."""
    till = browser_with(
        Grant(Role.TILL, chain.site.id, chain.mine.id), Grant(Role.TILL, chain.other_site.id, chain.beside.id)
    )
    seen = {name: till.client.get(f"/till/benefits/{row.id}").status_code for name, row in chain.held.items()}
    assert seen == {"Ann Coffee": 200, "Ann Tea": 404, "Bob Coffee": 404, "Bob Tea": 200}
    found = {name: till.get(f"/till/people?q={name}").texts(".till__held a") for name in ("Ann", "Bob")}
    assert found == {"Ann": ["Coffee"], "Bob": ["Tea"]}


def test_k150_a_role_of_a_whole_site_beside_a_bound_one(browser_with, chain):
    till = browser_with(Grant(Role.TILL, chain.site.id), Grant(Role.TILL, None, chain.mine.id))
    seen = {name: till.client.get(f"/till/benefits/{row.id}").status_code for name, row in chain.held.items()}
    assert seen == {"Ann Coffee": 200, "Ann Tea": 200, "Bob Coffee": 200, "Bob Tea": 404}


def test_k150_whoever_leaves_the_organisation_is_gone_on_the_next_request(browser_with, chain, session):
    till = browser_with(Grant(Role.TILL, None, chain.mine.id))
    editor = browser_with(Grant(Role.EDITOR, None, chain.mine.id))
    line = till.follow(till.submit(till.get(f"/till/benefits/{chain.held['Ann Coffee'].id}"), "#till"))
    place = line.response.request.path
    pages = {
        till: (place, f"/till/benefits/{chain.held['Ann Tea'].id}", f"/till/people?profile={chain.ann.id}"),
        editor: (f"/profiles/{chain.ann.id}", f"/profiles/{chain.ann.id}/edit", f"/profiles/{chain.ann.id}/benefits"),
    }
    opened = till.get(f"/till/benefits/{chain.held['Ann Tea'].id}")
    for browser, paths in pages.items():
        for path in paths:
            browser.get(path)
    session.execute(delete(Membership).where(Membership.profile_id == chain.ann.id))
    session.commit()
    for browser, paths in pages.items():
        for path in paths:
            browser.get(path, status=404)
    till.submit(opened, "#till", status=404)
    assert till.get("/till").texts(".till__receipts li") == []
    assert till.get("/till/people?q=Ann").texts(".till__held") == []
    assert editor.get("/profiles").texts("tbody th a") == []
    assert len(redemptions(session)) == 1


def test_k150_the_till_finds_its_own_people_only(browser_with, chain):
    till = browser_with(Grant(Role.TILL, None, chain.mine.id))
    assert len(till.get("/till/people?q=ANN").texts(".till__held")) == 1
    assert till.get("/till/people?q=BOB").texts(".till__held") == []
    till.get(f"/till/people?profile={chain.bob.id}", status=404)
    assert scan(till, "ann@example.com").response.headers["Location"] == f"/till/people?profile={chain.ann.id}"
    assert scan(till, "bob@example.com", 422).texts(".verdict__word") == ["Unknown code"]


def test_k150_a_near_code_is_offered_of_ones_own_people_only(browser_with, chain):
    till = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id))
    form = "#scan"
    for held, offered in (("Ann Coffee", 1), ("Ann Tea", 0)):
        code = str(chain.held[held].redeem_code_pos)
        page = till.submit(
            till.get(f"/till/people?profile={chain.ann.id}"), form, status=422, code=f"{code[:-1]}{'X' if code[-1] != 'X' else 'Y'}"
        )  # fmt: skip
        assert len(page.texts("main .notice a")) == offered


def test_k150_the_tills_places_are_those_of_its_organisations_and_of_none(browser_with, chain, make):
    make.location(title="Ours", organisation_id=chain.mine.id)
    there = make.location(title="Theirs", organisation_id=chain.beside.id)
    make.location(title="Nobody's")
    till = browser_with(Grant(Role.TILL, None, chain.mine.id))
    assert till.get("/till").texts("#where option") == ["Not said", "Nobody's", "Ours"]
    page = till.submit(till.get("/till"), "#where", status=422, place=there.id)
    assert "Theirs" not in page.text
    till.client.set_cookie("till_place", str(there.id))
    assert "Theirs" not in till.get("/till").text
    whole = browser_with(Grant(Role.TILL))
    assert whole.get("/till").texts("#where option") == ["Not said", "Nobody's", "Ours", "Theirs"]


def claim(till: Any, person: str, definition: BenefitDefinition, status: int = 303) -> Any:
    return till.submit(
        till.get("/benefits/claim"), "main form", status=status, person=person, definition_id=definition.id
    )


def test_k150_a_bound_till_claims_for_its_own_people(browser_with, chain, session):
    till = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id))
    assert till.get("/benefits/claim").texts("#definition_id option")[-1:] == ["Coffee – North"]
    answer = claim(till, "ANN", chain.coffee)
    made = session.scalars(select(Benefit).order_by(Benefit.id.desc()).limit(1)).one()
    assert answer.response.headers["Location"] == f"/till/benefits/{made.id}"
    assert "Nobody has this member id or e-mail" in claim(till, "BOB", chain.coffee, 422).text
    till.get(f"/benefits/claim?profile={chain.bob.id}", status=404)
    assert session.scalar(select(func.count()).select_from(Benefit)) == 5


def test_k150_pairs_are_exact_in_a_claim(browser_with, chain, session):
    till = browser_with(
        Grant(Role.TILL, chain.site.id, chain.mine.id), Grant(Role.TILL, chain.other_site.id, chain.beside.id)
    )
    assert "Nobody has this member id or e-mail" in claim(till, "ANN", chain.tea, 422).text
    assert session.scalar(select(func.count()).select_from(Benefit)) == 4
    claim(till, "BOB", chain.tea)


def test_k150_a_part_is_taken_back_later_without_the_page_of_the_benefit(browser_with, chain, make):
    till = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id))
    line = make.redemption(chain.held["Ann Coffee"])
    page = till.get(f"/till/redemptions/{line.id}")
    assert page.soup.select(f'a[href="/benefits/redemptions/{line.id}/return"]')
    answer = till.submit(till.get(f"/benefits/redemptions/{line.id}/return"), "main form", count=1, note="cold")
    assert answer.response.headers["Location"] == f"/till/benefits/{chain.held['Ann Coffee'].id}"
    till.get(f"/benefits/{chain.held['Ann Coffee'].id}", status=403)


def test_k150_a_voucher_of_a_bound_tills_people(browser_with, chain, make):
    kind = make.voucher_type(site_id=chain.site.id)
    ours, theirs, nobodys = (
        make.voucher(kind, status=status, profile_id=holder, allocated_at=NOW if holder else None)
        for status, holder in (
            (VoucherStatus.ALLOCATED, chain.ann.id),
            (VoucherStatus.ALLOCATED, chain.bob.id),
            (VoucherStatus.IDLE, None),
        )
    )
    kind.idle_count, kind.allocated_count = 1, 2
    make.session.commit()
    till = browser_with(Grant(Role.TILL, chain.site.id, chain.mine.id))
    form = till.get(f"/till/vouchers/{ours.id}")
    sent = {node["name"]: node.get("value", "") for node in form.soup.select("#till [name]")}
    for one in (theirs, nobodys):
        till.get(f"/till/vouchers/{one.id}", status=404)
        till.post(f"/till/vouchers/{one.id}", status=404, data=sent)
        till.get(f"/till/vouchers/{one.id}/done", status=404)
    till.submit(till.follow(till.submit(form, "#till")), "form.undo")


def test_k150_an_editor_within_an_organisation_sees_and_changes_its_people(browser_with, chain, session):
    editor = browser_with(Grant(Role.EDITOR, chain.site.id, chain.mine.id))
    assert editor.get("/profiles").texts("tbody th a") == ["Ann Archer"]
    page = editor.get(f"/profiles/{chain.ann.id}")
    assert page.texts("nav.tabs a")[-3:] == ["Facts", "Benefits", "History"]
    assert editor.get(f"/profiles/{chain.ann.id}/benefits").texts("tbody th") == ["Coffee"]
    editor.submit(editor.get(f"/profiles/{chain.ann.id}/edit"), "main form", first_name="Anna")
    session.expire_all()
    assert session.get_one(Profile, chain.ann.id).first_name == "Anna"
    for tab in ("", "/edit", "/benefits", "/history", "/merge", f"/merge/{chain.ann.id}"):
        editor.get(f"/profiles/{chain.bob.id}{tab}", status=404)
    assert "Vouchers" not in editor.get(f"/profiles/{chain.ann.id}/benefits").texts("h2")
    assert "Vouchers" in browser_with(Grant(Role.EDITOR)).get(f"/profiles/{chain.ann.id}/benefits").texts("h2")
    for closed in ("entries", "learning", "messages"):
        editor.get(f"/profiles/{chain.ann.id}/{closed}", status=403)
    for path in ("/profiles/new", "/profiles/attributes", "/profiles/export", "/benefits", "/modules", "/tiers"):
        assert "Your role holds within an organisation only." in editor.get(path, status=403).text
    assert "New person" not in editor.get("/profiles").text


def test_k150_other_organisations_of_a_person_are_not_told(browser_with, chain, make):
    """Where else somebody belongs is nothing of this editor's, on the page and in the history."""
    make.member(make.group(title="Elsewhere"), chain.ann, chain.beside)
    make.member(make.group(title="Loose"), chain.ann)
    bound, whole = browser_with(Grant(Role.EDITOR, None, chain.mine.id)), browser_with(Grant(Role.EDITOR))
    for path in (f"/profiles/{chain.ann.id}", f"/profiles/{chain.ann.id}/history"):
        told, all_told = bound.get(path).text, whole.get(path).text
        assert ("Elsewhere" in told, "Loose" in told, "Club" in told) == (False, True, True)
        assert ("Elsewhere" in all_told, "Loose" in all_told, "Club" in all_told) == (True, True, True)


@pytest.mark.parametrize("text", ["Archer", "ANN", "ann@", "Ann Arch", "Acrher"])
def test_k150_the_box_and_the_list_find_ones_own_people_only(browser_with, chain, make, text):
    for number in range(3):
        make.profile(first_name="Ann", last_name="Archer", external_id=f"ANN-{number}", email=f"ann@{number}.example")
    editor = browser_with(Grant(Role.EDITOR, None, chain.mine.id))
    whole = browser_with(Grant(Role.EDITOR))
    assert editor.get(f"/search?q={text}", status=303).response.headers["Location"] == f"/profiles/{chain.ann.id}"
    assert editor.get(f"/profiles?q={text}").texts("tbody th a") == ["Ann Archer"]
    assert len(whole.get(f"/profiles?q={text}").texts("tbody th a")) >= 1
    assert editor.get("/profiles?q=Baker").texts("tbody th a") == []


def test_k150_people_are_merged_only_where_both_are_within(browser_with, chain, make, session):
    twin = make.profile(first_name="Anne", last_name="Archer")
    editor = browser_with(Grant(Role.EDITOR, None, chain.mine.id))
    path = f"/profiles/{chain.ann.id}/merge"

    editor.get(f"{path}/{twin.id}", status=404)
    editor.get(f"/profiles/{twin.id}/merge/{chain.ann.id}", status=404)
    make.member(make.group(), twin, chain.mine)
    form = editor.get(f"{path}/{twin.id}")
    session.execute(delete(Membership).where(Membership.profile_id == twin.id))
    session.commit()
    editor.submit(form, "main form", status=404, reason="same address")
    assert session.scalars(select(ProfileMerge)).all() == []
    make.member(make.group(), twin, chain.mine)
    editor.submit(editor.get(f"{path}/{twin.id}"), "main form", reason="same address")
    assert editor.get(f"/profiles/{twin.id}", status=303).response.headers["Location"] == f"/profiles/{chain.ann.id}"


def test_k150_nobody_is_brought_in_from_outside(browser_with, chain, make, session):
    """A membership is what reaches people, so an editor within an organisation cannot give one to just anybody."""
    editor, group = browser_with(Grant(Role.EDITOR, None, chain.mine.id)), make.group()
    form = {"organisation": chain.mine.external_id}
    page = editor.submit(editor.get(f"/groups/{group.id}/members/add"), "main form", status=422, person="BOB", **form)
    assert "Nobody has the member id or e-mail «BOB»" in page.text
    editor.submit(editor.get(f"/groups/{group.id}/members/add"), "main form", person="ANN", **form)
    whole = browser_with(Grant(Role.EDITOR))
    whole.submit(whole.get(f"/groups/{group.id}/members/add"), "main form", person="BOB", **form)
    assert session.scalar(select(func.count()).where(Membership.group_id == group.id)) == 2


def test_k150_the_chosen_site_hides_what_roles_on_others_reach(browser_with, chain):
    editor = browser_with(
        Grant(Role.EDITOR, chain.site.id, chain.mine.id), Grant(Role.EDITOR, chain.other_site.id, chain.beside.id)
    )
    assert editor.get("/profiles").texts("tbody th a") == ["Bob Baker", "Ann Archer"]
    editor.submit(editor.get("/account/site"), "main form", site_id=chain.site.id)
    assert editor.get("/profiles").texts("tbody th a") == ["Ann Archer"]


def said(browser: Any, path: str, **options: Any) -> list[str]:
    """What a page asks the database, without its values."""
    browser.get(path, **options)
    return [re.sub(r"\s+", " ", one) for one in browser.statements]


def test_k150_whoever_is_bound_to_nothing_costs_not_a_word_more(browser_with, chain, make):
    """No statement of theirs looks at memberships or organisations, at the till or in the lists of people."""
    line = make.redemption(chain.held["Ann Coffee"])
    paths = {
        Role.TILL: (
            "/till",
            f"/till/benefits/{chain.held['Ann Coffee'].id}",
            "/till/people?q=Ann",
            f"/till/people?profile={chain.ann.id}",
            f"/till/redemptions/{line.id}",
        ),
        Role.EDITOR: ("/profiles", "/profiles?q=A", f"/profiles/{chain.ann.id}/benefits", "/search?q=zzz"),
    }
    for role, some in paths.items():
        for site_id in (None, chain.site.id):
            bound = browser_with(Grant(role, site_id, chain.mine.id))
            whole = browser_with(Grant(role, site_id))
            for path in some:
                plain = said(whole, path)
                assert [
                    one for one in plain if re.search("memberships|FROM organisations|JOIN organisations", one)
                ] == (
                    [one for one in plain if "organisations.search_text" in one]  # the box looks for organisations
                )
                assert len(plain) <= len(said(bound, path))


def test_k150_a_redemption_by_somebody_bound_to_nothing_asks_as_much_as_ever(browser_with, chain, session):
    """Counted: the same statements whether the role holds on every site or on one; two more within an organisation."""
    counts = {}
    for name, grant in {
        "every site": Grant(Role.TILL),
        "one site": Grant(Role.TILL, chain.site.id),
        "within": Grant(Role.TILL, chain.site.id, chain.mine.id),
    }.items():
        till = browser_with(grant)
        page = till.get(f"/till/benefits/{chain.held['Ann Coffee'].id}")
        till.statements.clear()
        till.submit(page, "#till")
        counts[name] = len(till.statements), sum("memberships" in one for one in till.statements)
    assert counts["every site"] == counts["one site"]
    assert counts["one site"][1] == 0
    assert counts["within"] == (counts["one site"][0] + 1, 1)


def test_a_reach_is_only_for_those_who_are_bound():
    assert Actor("A", 1, frozenset({Grant(Role.TILL)})).where(Permission.BENEFITS_REDEEM) is None
    bound = Actor("A", 1, frozenset({Grant(Role.TILL, None, 7)})).where(Permission.BENEFITS_REDEEM)
    assert bound == Reach(frozenset(), ((None, 7),))


def test_where_an_organisation_stands_is_told_on_its_page_as_in_the_list(browser_with, chain):
    """The one above cannot be opened by an editor within this one, but its title is no secret."""
    editor = browser_with(Grant(Role.EDITOR, organisation_id=chain.mine.id))
    page = editor.get(f"/organisations/{chain.mine.id}")
    assert "Stands below Top" in page.text
    assert "at the top" not in page.text
    assert page.soup.select(f"main a[href='/organisations/{chain.mine.parent_id}']") == []
    assert "in Top" in editor.get("/organisations").text


def dead_ends(browser: Any, path: str) -> list[str]:
    """The links and buttons of a page that answer «no such page» or «not your role», by what they say."""
    page = browser.get(path)
    found = {
        str(node["href"] if node.name == "a" else node["action"]).partition("#")[0]: node.get_text(" ", strip=True)
        for node in page.soup.select("main a[href^='/'], main form[method=get][action^='/']")
    }
    answers = {words: browser.client.get(address).status_code for address, words in found.items()}
    return [words for words, status in answers.items() if status in (403, 404)]


@pytest.mark.parametrize("is_bound", [True, False])
def test_no_button_leads_to_a_page_beyond_ones_organisations(browser_with, chain, make, session, is_bound):
    """What is of the whole account is offered to those only who get there; members are everybody's within."""
    group = session.scalars(select(Membership.group_id)).first()
    kind = make.organisation_type()
    browser = browser_with(Grant(Role.EDITOR, None, chain.mine.id if is_bound else None))
    offered: list[str] = []
    for path in (
        "/groups", f"/groups/{group}", "/organisation-types", f"/organisation-types/{kind.id}", "/organisations",
        f"/organisations/{chain.mine.id}", "/locations", f"/profiles/{chain.ann.id}",
    ):  # fmt: skip
        offered += browser.get(path).texts(".page-header .actions .btn")
        assert (path, dead_ends(browser, path)) == (path, [])
    of_all = {"New group", "Change group", "New type", "Change type"}
    assert of_all & set(offered) == (set() if is_bound else of_all)
    assert {"New organisation", "Change organisation", "New location", "Change person"} <= set(offered)
    shown = browser.get(f"/groups/{group}")
    assert shown.soup.select("#add-member")
    assert "Take out" in shown.texts("#members button")


def test_a_group_is_restored_by_those_who_reach_all_organisations(browser_with, chain, make):
    group = make.group(title="Old", archived_at=NOW)
    bound, whole = (browser_with(Grant(Role.EDITOR, None, place)) for place in (chain.mine.id, None))
    restore = f"form[action='/groups/{group.id}/restore']"
    assert not bound.get(f"/groups/{group.id}").soup.select(restore)
    assert whole.get(f"/groups/{group.id}").soup.select(restore)


def test_erasing_is_offered_to_those_who_may_erase_on_every_site(new_console, chain, make, session):
    path = f"/profiles/{chain.ann.id}"
    for site_id, offered in ((chain.site.id, 0), (None, 1)):
        actor, browser = make.actor(Role.ADMINISTRATOR, site_id=site_id), new_console()
        make.add(StaffGrant(staff_id=actor.staff_id, role=Role.EDITOR))
        sign_in(browser.client, session, actor)
        assert len(browser.get(path).soup.select(f"a[href='{path}/erase']")) == offered
