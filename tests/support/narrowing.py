"""Of every kind of list one row that fits what it is narrowed to, and one that does not."""

from __future__ import annotations

from datetime import timedelta

from tests.factories import NOW, Factories


def mixed(make: Factories) -> None:
    """What fits is mostly called «kayak»; of other rows every second is archived, closed, void or over."""
    people = make.profile(first_name="Kayak", external_id="M-1"), make.profile(first_name="Bo", external_id="M-2")
    _places(make, people)
    site = make.site(title="Kayak club", name="kayak")
    _learning(make, site, people)
    _benefits(make, site, people)
    draw = make.reward(site_id=site.id, title="Kayak draw", name="spring")
    make.reward(site_id=make.site(title="Other", name="other").id, title="Old draw", name="autumn", status="expired")
    make.entry(draw, profile_id=people[0].id)
    make.entry(draw, profile_id=people[1].id, status="staff", reason="Staff")
    winner = make.winner(draw, profile_id=people[0].id)
    make.voucher(make.voucher_type(site_id=site.id, code="TOUR"))
    other = make.voucher_type(site_id=site.id, code="OTHER")
    make.voucher(other, status="cancelled")
    held = {"profile_id": people[0].id, "winner_id": winner.id, "winner_place": 1, "allocated_at": NOW}
    make.voucher(other, status="allocated", **held)


def _places(make, people):
    club = make.organisation_type(name="club", title="Club")
    make.organisation(title="Kayak hut", external_id="K", type_id=club.id)
    make.organisation(title="Lake", external_id="L")
    make.organisation(title="Old kayak hut", external_id="O", archived_at=NOW)
    regulars = make.group(title="Kayakers", name="kayakers", kind="mailing list")
    make.group(title="Old kayakers", name="old", archived_at=NOW)
    guests = make.group(title="Guests", name="guests")
    make.member(regulars, people[0])
    make.member(guests, people[0])
    make.member(regulars, people[1])
    make.location(title="Kayak pier", external_id="P")
    make.location(title="Old kayak pier", external_id="Q", closed_at=NOW)


def _learning(make, site, people):
    basics = make.module(site_id=site.id, path="/p1/m1", title="Kayak basics")
    old = make.module(site_id=site.id, path="/p1/m2", title="Old kayak basics", archived_at=NOW)
    make.completed(basics, people[0])
    make.completed(old, people[0])
    make.completed(basics, people[1])


def _benefits(make, site, people):
    hire = make.benefit_definition(
        site_id=site.id, name="Kayak hire", handle="hire", tags=["water"], campaign="may", type="discount"
    )
    coffee = make.benefit_definition(site_id=site.id, name="Kayak coffee", handle="coffee", is_archived=True)
    make.benefit(hire, people[0], source="claim", claimed_at=NOW, expires_at=NOW + timedelta(days=9), extended_at=NOW)
    issued = NOW - timedelta(days=9)
    make.benefit(coffee, people[1], issued_at=issued, voided_at=NOW, voided_by="Ann Able", void_reason="A test")
