"""Inviting, joining, signing in and out, roles and disabling, with what the audit log says."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.support.clock import NOW
from webapp.domain.audit import Event
from webapp.domain.errors import Conflict, NotFound, Refused
from webapp.domain.identity import Actor, Grant
from webapp.domain.permissions import Role
from webapp.models import (
    AccountSettings,
    OutboxMessage,
    SignInAttempt,
    StaffGrant,
    StaffInvitation,
    StaffMember,
    StaffSession,
)
from webapp.queries import signed_in
from webapp.queries import staff as read
from webapp.services import passwords, staff, staff_sessions
from webapp.services.work import Work

WORDS = "four plain words here"


LINK = "token-of-the-link"


def invitation(email="new@example.org", *grants, token=LINK):
    return staff.InviteStaff(email, grants or (Grant(Role.EDITOR),), token, f"https://x.example/invitations/{token}")


def events(work):
    return [item["event"] for item in work.events]


@pytest.fixture
def admin(make):
    return make.actor(Role.ADMINISTRATOR, name="Root Able")


@pytest.fixture
def work(session, admin):
    return Work(session, admin, NOW)


def test_an_invitation_makes_an_account_a_link_and_a_message(work, session):
    member = staff.invite(work, invitation(" New@Example.org "))
    session.flush()
    assert (member.email, member.password_hash, member.created_by_id) == ("new@example.org", None, work.actor.staff_id)
    row = session.scalars(select(StaffInvitation)).one()
    assert row.token_hash == staff_sessions.token_hash("token-of-the-link")
    assert row.expires_at == NOW + timedelta(hours=24)
    message = session.scalars(select(OutboxMessage)).one()
    assert message.recipient == "new@example.org"
    assert "https://x.example/invitations/token-of-the-link" in message.body
    assert work.events[0]["facts"] == {"email": "new@example.org", "roles": "editor everywhere"}


def test_a_new_invitation_ends_the_one_before(work, session):
    staff.invite(work, invitation(token="first"))
    staff.invite(work, invitation("new@example.org", Grant(Role.VIEWER), token="second"))
    session.flush()
    with pytest.raises(NotFound):
        read.invitation(session, staff_sessions.token_hash("first"), NOW)
    assert read.invitation(session, staff_sessions.token_hash("second"), NOW)
    assert session.scalars(
        select(StaffGrant.role)
        .join(StaffMember, StaffMember.id == StaffGrant.staff_id)
        .where(StaffMember.email == "new@example.org")
    ).all() == [Role.VIEWER]


@pytest.mark.parametrize("is_active", [True, False])
def test_an_address_with_an_account_cannot_be_invited(work, make, is_active):
    make.staff(Role.VIEWER, email="ada@example.org", password_hash="x", is_active=is_active)
    with pytest.raises(Conflict) as refusal:
        staff.invite(work, invitation("ADA@example.org"))
    assert refusal.value.field == "email"


def test_conflicting_roles_need_small_team_mode(work, session):
    both = (Grant(Role.EDITOR), Grant(Role.DRAW_SUPERVISOR))
    with pytest.raises(Refused) as refusal:
        staff.invite(work, invitation("new@example.org", *both))
    assert (refusal.value.code, refusal.value.field) == ("staff.conflict", "grants")
    session.add(AccountSettings(id=1, is_small_team=True))
    session.flush()
    assert staff.invite(work, invitation("new@example.org", *both))


def test_an_invitation_is_taken_up_once(work, session):
    staff.invite(work, invitation())
    session.flush()
    command = staff.AcceptInvitation(
        staff_sessions.token_hash("token-of-the-link"),
        "Nina New",
        staff.checked_password(WORDS, name="Nina New", email="new@example.org"),
    )
    member = staff.accept(work, command)
    assert (member.name, passwords.matches(member.password_hash, WORDS)) == ("Nina New", True)
    assert events(work)[-1] == Event.STAFF_JOINED
    with pytest.raises(NotFound, match="taken up already"):
        staff.accept(work, command)


def test_an_invitation_ends_after_24_hours(work, session, admin):
    staff.invite(work, invitation())
    session.flush()
    late = Work(session, admin, NOW + timedelta(hours=24))
    with pytest.raises(NotFound):
        staff.accept(late, staff.AcceptInvitation(staff_sessions.token_hash("token-of-the-link"), "Nina", "x"))


def test_a_bad_password_is_refused_before_anything_is_hashed(monkeypatch):
    monkeypatch.setattr(passwords, "hashed", lambda _: pytest.fail("hashed"))
    with pytest.raises(Refused) as refusal:
        staff.checked_password("short", name="Nina", email="new@example.org")
    assert refusal.value.field == "password"


def test_unknown_and_known_people_cost_the_same_work(session, make, monkeypatch):
    make.staff(Role.VIEWER, email="ada@example.org", password_hash=passwords.hashed(WORDS))
    make.staff(Role.VIEWER, email="gone@example.org", password_hash=passwords.hashed(WORDS), is_active=False)
    make.staff(Role.VIEWER, email="invited@example.org")
    verified = []
    real = passwords._HASHER.verify

    class Watched:
        def verify(self, stored, password):
            verified.append(stored[:31])
            return real(stored, password)

    monkeypatch.setattr(passwords, "_HASHER", Watched())
    who = ["ada@example.org", "nobody@example.org", "gone@example.org", "invited@example.org"]
    found = [staff_sessions.recognise(session, email, WORDS) for email in who]
    assert [bool(one) for one in found] == [True, False, False, False]
    assert verified == ["$argon2id$v=19$m=19456,t=2,p=1$"] * 4


def test_at_most_two_hashes_run_at_once():
    assert passwords._TURNS._initial_value == 2


@pytest.mark.parametrize(
    ("limit", "emails", "addresses"),
    [
        (10, ["ada@example.org"] * 11, [f"10.0.0.{n}" for n in range(11)]),
        (10, [f"a{n}@example.org" for n in range(11)], ["10.0.0.1"] * 11),
    ],
)
def test_the_eleventh_try_within_five_minutes_waits(work, limit, emails, addresses):
    tries = list(zip(emails, addresses, strict=True))
    for email, address in tries[:limit]:
        staff_sessions.admit(work, staff_sessions.AdmitTry(email, address))
    with pytest.raises(staff_sessions.TooManyTries, match="Wait 5 minutes") as wait:
        staff_sessions.admit(work, staff_sessions.AdmitTry(*tries[limit]))
    assert wait.value.seconds == 300


def test_the_wait_is_over_when_the_first_try_is_five_minutes_old(session, admin):
    for second in range(10):
        staff_sessions.admit(
            Work(session, admin, NOW + timedelta(seconds=second)), staff_sessions.AdmitTry("a@example.org", "10.0.0.1")
        )
    with pytest.raises(staff_sessions.TooManyTries, match="Wait 1 minute,") as wait:
        staff_sessions.admit(
            Work(session, admin, NOW + timedelta(seconds=270)), staff_sessions.AdmitTry("a@example.org", "10.0.0.1")
        )
    assert wait.value.seconds == 30
    assert staff_sessions.admit(
        Work(session, admin, NOW + timedelta(seconds=300)), staff_sessions.AdmitTry("a@example.org", "10.0.0.1")
    )


def test_a_thousand_tries_of_all_kinds_make_everybody_wait(session, admin):
    session.add_all(
        SignInAttempt(at=NOW, email=f"p{n}@example.org", address=f"10.{n // 250}.{n % 250}.1") for n in range(1_000)
    )
    session.flush()
    with pytest.raises(staff_sessions.TooManyTries):
        staff_sessions.admit(Work(session, admin, NOW), staff_sessions.AdmitTry("new@example.org", "192.0.2.1"))


def test_a_try_that_succeeds_does_not_count(work, session, make):
    ada = make.staff(Role.VIEWER)
    attempt = staff_sessions.admit(work, staff_sessions.AdmitTry(ada.email, "10.0.0.1"))
    staff_sessions.sign_in(
        work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("t"), "10.0.0.1", "browser", (attempt,))
    )
    session.flush()
    assert session.scalar(select(func.count()).select_from(SignInAttempt)) == 0
    assert events(work) == [Event.STAFF_SIGNED_IN]


def test_a_session_lasts_half_an_hour_idle_and_twelve_hours_at_most(work, session, make):
    ada = make.staff(Role.VIEWER)
    row = staff_sessions.sign_in(work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("t")))
    session.flush()
    assert signed_in.by_session(session, row.token_hash, NOW + timedelta(minutes=29, seconds=59))
    assert signed_in.by_session(session, row.token_hash, NOW + timedelta(minutes=30)) is None
    row.seen_at = NOW + timedelta(hours=11, minutes=50)
    session.flush()
    assert signed_in.by_session(session, row.token_hash, NOW + timedelta(hours=11, minutes=59))
    assert signed_in.by_session(session, row.token_hash, NOW + timedelta(hours=12)) is None


def test_a_session_is_noted_as_used_at_most_once_a_minute(work, session, admin, make):
    ada = make.staff(Role.VIEWER)
    row = staff_sessions.sign_in(work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("t")))
    session.flush()
    for seconds, seen in ((30, 0), (60, 60), (100, 60), (121, 121)):
        staff_sessions.touch(Work(session, admin, NOW + timedelta(seconds=seconds)), row.id)
        session.refresh(row)
        assert row.seen_at == NOW + timedelta(seconds=seen)


def test_signing_out_ends_the_session_once(work, session, make):
    ada = make.staff(Role.VIEWER)
    row = staff_sessions.sign_in(work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("t")))
    session.flush()
    staff_sessions.sign_out(work, row.id)
    staff_sessions.sign_out(work, row.id)
    assert signed_in.by_session(session, row.token_hash, NOW) is None
    assert events(work) == [Event.STAFF_SIGNED_IN, Event.STAFF_SIGNED_OUT]


def test_disabling_ends_sessions_and_links_and_enabling_keeps_the_roles(work, session, make):
    ada = make.staff(Role.EDITOR, email="ada@example.org")
    staff_sessions.sign_in(work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("t")))
    staff.renew(work, staff.RenewInvitation(ada.id, "link", "https://x.example/link"))
    session.flush()
    staff.disable(work, staff.DisableStaff(ada.id))
    assert session.scalars(select(StaffSession.ended_at)).all() == [NOW]
    assert session.scalars(select(StaffInvitation.used_at)).all() == [NOW]
    with pytest.raises(Refused, match="disabled"):
        staff_sessions.sign_in(work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("u")))
    with pytest.raises(Refused, match="enable it first"):
        staff.renew(work, staff.RenewInvitation(ada.id, "link2", "https://x.example/link2"))
    staff.enable(work, staff.EnableStaff(ada.id))
    session.expire_all()
    assert [grant.role for grant in read.get(session, ada.id).grants] == [Role.EDITOR]
    assert events(work)[-2:] == [Event.STAFF_DISABLED, Event.STAFF_ENABLED]


def test_disabling_twice_is_told_once(work, make):
    ada = make.staff(Role.EDITOR)
    for _ in range(2):
        staff.disable(work, staff.DisableStaff(ada.id))
    assert events(work) == [Event.STAFF_DISABLED]


def test_nobody_disables_themselves_or_the_last_administrator(work, admin, make):
    with pytest.raises(Refused, match="your own account"):
        staff.disable(work, staff.DisableStaff(admin.staff_id))
    other = make.actor(Role.ADMINISTRATOR)
    theirs = Work(work.session, other, NOW)
    staff.disable(theirs, staff.DisableStaff(admin.staff_id))
    system = Work(work.session, Actor("Command line"), NOW)
    with pytest.raises(Refused, match="last active administrator"):
        staff.disable(system, staff.DisableStaff(other.staff_id))


def test_the_last_administrator_keeps_the_role(work, admin, make):
    make.staff(Role.ADMINISTRATOR, is_active=False)
    make.staff(Role.ADMINISTRATOR, site_id=make.site().id)
    work.session.add(StaffGrant(staff_id=admin.staff_id, role=Role.VIEWER))
    work.session.commit()
    work.session.expire_all()
    with pytest.raises(Refused, match="last active administrator"):
        staff.change_grants(work, staff.ChangeGrants(admin.staff_id, (Grant(Role.VIEWER),)))


def test_changed_roles_are_told_before_and_after(work, session, make):
    site = make.site(title="Club Nord")
    ada = make.staff(Role.EDITOR, email="ada@example.org")
    staff.change_grants(work, staff.ChangeGrants(ada.id, (Grant(Role.VIEWER), Grant(Role.EDITOR, site.id))))
    session.expire_all()
    assert {(grant.role, grant.site_id) for grant in read.get(session, ada.id).grants} == {
        (Role.VIEWER, None),
        (Role.EDITOR, site.id),
    }
    assert work.events[-1]["facts"] == {
        "email": "ada@example.org",
        "before": "editor everywhere",
        "after": "editor on Club Nord, viewer everywhere",
    }


def test_the_same_roles_again_are_no_event(work, make):
    ada = make.staff(Role.EDITOR)
    staff.change_grants(work, staff.ChangeGrants(ada.id, (Grant(Role.EDITOR), Grant(Role.EDITOR))))
    assert work.events == []


def test_nobody_gives_themselves_a_role_unless_the_team_is_small(work, session, admin):
    wanted = (Grant(Role.ADMINISTRATOR), Grant(Role.EDITOR))
    with pytest.raises(Refused, match="to yourself"):
        staff.change_grants(work, staff.ChangeGrants(admin.staff_id, wanted))
    session.add(AccountSettings(id=1, is_small_team=True))
    session.flush()
    assert staff.change_grants(work, staff.ChangeGrants(admin.staff_id, wanted))


def test_an_administrator_of_one_site_reaches_its_staff_only(session, make):
    here, there = make.site(), make.site()
    local = Work(session, make.actor(Role.ADMINISTRATOR, site_id=here.id), NOW)
    stranger = make.staff(Role.VIEWER, site_id=there.id)
    everywhere = make.staff(Role.VIEWER)
    both = make.staff(Role.VIEWER, site_id=here.id)
    session.add(StaffGrant(staff_id=both.id, role=Role.VIEWER, site_id=there.id))
    session.commit()
    session.expire_all()
    for person in (stranger, everywhere):
        with pytest.raises(NotFound):
            staff.disable(local, staff.DisableStaff(person.id))
    with pytest.raises(Refused, match="on some sites only"):
        staff.disable(local, staff.DisableStaff(both.id))
    with pytest.raises(Refused, match="on some sites only"):
        staff.invite(local, invitation("new@example.org", Grant(Role.VIEWER)))
    assert staff.invite(local, invitation("new@example.org", Grant(Role.VIEWER, here.id)))


def test_k150_a_role_that_carries_nothing_within_an_organisation_is_not_given_there(work, session, make):
    one = make.organisation()
    member = make.staff(Role.VIEWER, organisation_id=one.id)
    with pytest.raises(Refused, match="«viewer» carries nothing within an organisation"):
        staff.invite(work, invitation("new@example.org", Grant(Role.VIEWER, None, one.id)))
    with pytest.raises(Refused, match="«fulfilment» carries nothing"):
        staff.change_grants(work, staff.ChangeGrants(member.id, (Grant(Role.FULFILMENT, None, one.id),)))
    session.rollback()
    kept = (Grant(Role.VIEWER, None, one.id), Grant(Role.TILL, None, one.id))
    assert staff.change_grants(work, staff.ChangeGrants(member.id, kept))  # one that was given before may stay


def test_a_new_link_lets_somebody_choose_another_password_and_ends_their_sessions(work, session, make):
    ada = make.staff(Role.EDITOR, password_hash=passwords.hashed(WORDS))
    staff_sessions.sign_in(work, staff_sessions.StartSession(ada.id, staff_sessions.token_hash("old session")))
    staff.renew(work, staff.RenewInvitation(ada.id, "link", "https://x.example/link"))
    session.flush()
    other = "other words for this"
    staff.accept(work, staff.AcceptInvitation(staff_sessions.token_hash("link"), ada.name, passwords.hashed(other)))
    session.commit()
    assert signed_in.by_session(session, staff_sessions.token_hash("old session"), NOW) is None
    assert staff_sessions.recognise(session, ada.email, WORDS) is None
    assert staff_sessions.recognise(session, ada.email.upper(), other) is not None


def test_an_account_with_a_password_can_be_added_at_once(work):
    command = staff.AddStaff("ed@example.org", "Ed Moss", (Grant(Role.EDITOR),), passwords.hashed(WORDS))
    assert staff.add(work, command).name == "Ed Moss"
