"""Benefits extended together, and taken back: by whom, until when, and which of them stay."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, update
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.services.test_benefit_rivals import assert_sound, together
from tests.support.benefits import T, programme
from webapp.adapters.engines import engine_options
from webapp.domain.audit import Event
from webapp.domain.benefits import BenefitState
from webapp.domain.errors import NotFound, Refused
from webapp.domain.extensions import WINDOW
from webapp.domain.identity import Actor, Grant
from webapp.domain.notices import NoticeKind, NoticeStatus, Skip
from webapp.domain.permissions import Role
from webapp.domain.redemptions import BenefitMove
from webapp.models import AuditEntry, Benefit, BenefitExtension, ExtendedBenefit, Notice, Voucher, VoucherChange
from webapp.queries import benefits as read
from webapp.queries import extensions as read_extensions
from webapp.services import benefits
from webapp.services.benefits.changing import tell_expired
from webapp.services.work import perform


@pytest.fixture
def d(make, actor):
    found = programme(make, actor)
    found.change(is_extendable=True, is_reassignable=True, max_redemptions=3)
    return found


def extended(d, *held: Benefit, days: int = 7) -> BenefitExtension:
    return d.do(benefits.extend_several, benefits.ExtendBenefits(tuple(one.id for one in held), extend_days=days))


def back(d, made: BenefitExtension) -> BenefitExtension:
    return d.do(benefits.undo_extension, benefits.UndoExtension(made.id))


def ends(d, *held: Benefit) -> list[datetime | None]:
    return [read.get(d.session, one.id).expires_at for one in held]


def stays(d, made: BenefitExtension) -> list[str]:
    return [line.stays for line in read_extensions.lines(d.session, made.id)]


def refusal(code: str, d, made: BenefitExtension) -> None:
    with pytest.raises(Refused) as told:
        back(d, made)
    assert told.value.code == code


def somebody(make: Factories, *roles: Role) -> Actor:
    return make.actor(*roles, name="Bo Birch", email="bo@example.org")


def test_taken_back_they_end_when_they_did_and_may_be_extended_again(d):
    first, second = d.issue(), d.issue(d.other)
    before = ends(d, first, second)
    made = extended(d, first, second)
    assert ends(d, first, second) != before
    d.forward(minutes=9)
    back(d, made)
    assert ends(d, first, second) == before
    assert (read.get(d.session, first.id).extended_at, stays(d, made)) == (None, ["", ""])
    told = read.changes(d.session, first.id)[0]
    assert (told.move, told.by, told.note) == (
        BenefitMove.EXTENSION_UNDONE,
        "Ann Able",
        "From 7 April 2026 23:59 (Australia/Melbourne) back to 31 March 2026 23:59 (Australia/Melbourne).",
    )
    said = d.session.scalars(select(AuditEntry).where(AuditEntry.event == Event.EXTENSION_UNDONE)).one()
    assert said.facts == {"count": 2, "left": 0}
    each = d.session.scalars(select(AuditEntry.facts).where(AuditEntry.event == Event.BENEFIT_EXTENSION_UNDONE)).all()
    assert [facts["until"] for facts in each] == ["31 March 2026 23:59 (Australia/Melbourne)"] * 2
    extended(d, first, second, days=3)
    assert ends(d, first) == [datetime.fromisoformat("2026-04-03T12:59:59+00:00")]


def test_6_4_taken_back_their_codes_end_when_they_did(d, make):
    kind = make.voucher_type(site_id=d.definition.site_id, valid_for_days=10)
    for _ in range(2):
        make.voucher(kind)
    d.change(voucher_type_id=kind.id)
    held = d.issue(), d.issue(d.other)
    long = held[1].voucher_id
    d.session.execute(update(Voucher).where(Voucher.id == long).values(expires_at=T + timedelta(days=400)))
    d.session.commit()

    def codes():
        return list(d.session.scalars(select(Voucher.expires_at).order_by(Voucher.id)))

    before = codes()
    made = extended(d, *held)
    assert codes() == [before[0] + timedelta(days=7), before[1]]
    assert [line.code_over_at for line in read_extensions.lines(d.session, made.id)] == [before[0], None]
    back(d, made)
    assert codes() == before
    notes = d.session.scalars(select(VoucherChange.note).where(VoucherChange.note.startswith("lasts to"))).all()
    assert [note.partition(" with")[0] for note in notes] == [
        "lasts to 18 March 2026 23:59 (Australia/Melbourne)",
        "lasts to 11 March 2026 23:59 (Australia/Melbourne) again",
    ]


def test_what_was_used_or_changed_since_stays_and_says_why(d):
    held = [d.issue() for _ in range(7)]
    before = ends(d, *held)
    made = extended(d, *held)
    later = ends(d, *held)
    d.redeem(held[0])
    d.do(benefits.reassign, benefits.ReassignBenefit(held[1].id, d.other.external_id))
    d.do(benefits.set_expiry, benefits.SetExpiry(held[2].id, date(2026, 5, 1), "by phone"))
    d.do(benefits.void, benefits.VoidBenefit(held[3].id, "by mistake"))
    d.do(benefits.void, benefits.VoidBenefit(held[4].id, "by mistake"))
    d.do(benefits.restore, benefits.RestoreBenefit(held[4].id))
    d.reverse(d.redeem(held[5]))
    back(d, made)
    assert stays(d, made) == [
        "It was redeemed since, or some of it came back.",
        "It was handed over since.",
        "Its end was set otherwise since.",
        "It was made void since.",
        "It was made void since, and restored.",
        "",
        "",
    ]
    now = ends(d, *held)
    assert (now[:2], now[3:5], now[5:]) == (later[:2], later[3:5], before[5:])
    said = d.session.scalars(select(AuditEntry.facts).where(AuditEntry.event == Event.EXTENSION_UNDONE)).one()
    assert said == {"count": 2, "left": 5}


def test_when_none_can_go_back_nothing_is_written(d):
    benefit = d.issue()
    made = extended(d, benefit)
    d.redeem(benefit)
    refusal("extension.used", d, made)
    assert read_extensions.get(d.session, made.id).undone_at is None
    assert stays(d, made) == [""]


@pytest.mark.parametrize(("after", "is_late"), [(WINDOW, False), (WINDOW + timedelta(seconds=1), True)])
def test_it_can_be_taken_back_for_ten_minutes(d, after, is_late):
    benefit = d.issue()
    made = extended(d, benefit)
    later = ends(d, benefit)
    d.at += after
    if is_late:
        refusal("extension.late", d, made)
    else:
        back(d, made)
    assert (ends(d, benefit) == later) is is_late


def test_it_is_taken_back_once(d):
    benefit = d.issue()
    made = extended(d, benefit)
    back(d, made)
    extended(d, benefit)
    later = ends(d, benefit)
    refusal("extension.undone", d, made)
    assert ends(d, benefit) == later


@pytest.mark.parametrize(
    ("roles", "is_own", "may"),
    [
        ((Role.EDITOR,), True, True),
        ((Role.TILL,), True, False),
        ((Role.EDITOR, Role.TILL), False, False),
        ((Role.ADMINISTRATOR,), False, True),
    ],
    ids=["own", "own without the right by now", "of another", "of another by who may override"],
)
def test_who_takes_it_back(d, make, roles, is_own, may):
    made = extended(d, d.issue())
    other = somebody(make, *roles)
    d.actor = Actor(d.actor.label, d.actor.staff_id, other.grants) if is_own else other
    if may:
        assert back(d, made).undone_by == d.actor.label
    else:
        refusal("not_own", d, made)


def test_a_right_on_one_site_is_none_on_the_other(d, make):
    elsewhere = make.benefit(make.benefit_definition(is_extendable=True), expires_at=T + timedelta(days=9))
    benefit = d.issue()
    made = extended(d, benefit, elsewhere)
    d.actor = Actor("Ann Able", d.actor.staff_id, frozenset({Grant(Role.EDITOR, d.definition.site_id)}))
    refusal("not_own", d, made)
    with pytest.raises(NotFound):
        read_extensions.get(d.session, made.id, frozenset({d.definition.site_id}))


def test_an_expired_one_is_expired_again_and_its_history_tells_it_once(d):
    benefit = d.issue()
    d.forward(days=60)
    d.do(lambda work, _: tell_expired(work), None)
    made = extended(d, benefit, days=90)
    assert d.state(benefit) is BenefitState.ACTIVE
    back(d, made)
    assert d.state(benefit) is BenefitState.EXPIRED
    assert d.do(lambda work, _: tell_expired(work), None) == 0
    moves = [line.move for line in reversed(read.changes(d.session, benefit.id))]
    assert moves == [BenefitMove.ISSUED, BenefitMove.EXPIRED, BenefitMove.EXTENDED, BenefitMove.EXTENSION_UNDONE]


def test_one_that_expired_since_stays_expired_where_its_history_says_so(d):
    benefit, other = d.issue(), d.issue()
    d.forward(days=60)
    made = extended(d, benefit, days=1)
    assert d.do(lambda work, _: tell_expired(work), None) == 2
    refusal("extension.used", d, made)
    assert d.state(other) is BenefitState.EXPIRED


def test_notices_are_planned_for_the_former_end_again(d, make):
    target = make.target(site_id=d.definition.site_id)
    d.change(notify_remind_offset_days=-14, notify_remind_offset_hour=9, remind_target_id=target.id)
    benefit = d.issue()
    made = extended(d, benefit)
    back(d, made)
    rows = d.session.scalars(select(Notice).where(Notice.kind == NoticeKind.REMIND).order_by(Notice.id)).all()
    assert [(row.anchor_at, row.status, row.reason) for row in rows] == [
        (benefit.expires_at, NoticeStatus.PLANNED, ""),
        (read_extensions.lines(d.session, made.id)[0].ends_at, NoticeStatus.SKIPPED, Skip.MOVED),
    ]


@pytest.fixture
def own(own_database):
    engine = create_engine(own_database, **engine_options(own_database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        yield session
    engine.dispose()


def test_rivals_redeem_while_others_take_the_extension_back(own, own_database):
    """Every benefit is either redeemed and keeps its later end, or has its former end and was never redeemed."""
    make = Factories(own)
    actor = make.actor(*Role, name="Ann Able", email="ann@example.org")
    definition = make.benefit_definition(is_extendable=True)
    ended = T - timedelta(days=1)
    held = [make.benefit(definition, issued_at=T - timedelta(days=9), expires_at=ended) for _ in range(24)]
    own.commit()

    def doing(act, command):
        return lambda session: perform(session, actor, T, lambda work: act(work, command))

    made = doing(benefits.extend_several, benefits.ExtendBenefits(tuple(one.id for one in held), extend_days=9))(own)
    undo = doing(benefits.undo_extension, benefits.UndoExtension(made.id))
    redeem = [doing(benefits.redeem, benefits.RedeemBenefit(one.id, f"{n:04}")) for n, one in enumerate(held)]
    tasks = [*redeem[:12], *[undo] * 4, *redeem[12:]]
    said = together(own_database, tasks)
    assert said.keys() <= {"done", "expired", "extension.undone"}
    own.rollback()
    own.expire_all()
    lines = read_extensions.lines(own, made.id)
    assert read_extensions.get(own, made.id).undone_at == T
    rows = {row.id: row for row in own.scalars(select(Benefit))}
    for line in lines:
        benefit = rows[line.benefit_id]
        is_used = benefit.redeemed_count == 1
        assert benefit.expires_at == (line.ends_at if is_used else line.ended_at)
        assert bool(line.stays) is is_used
    used = sum(row.redeemed_count for row in rows.values())
    assert said["expired"] == len(held) - used
    assert said["done"] == used + 1
    assert_sound(own)


def test_pressed_by_eight_at_once_it_is_taken_back_once(own, own_database):
    make = Factories(own)
    actor = make.actor(*Role, name="Ann Able", email="ann@example.org")
    benefit = make.benefit(make.benefit_definition(is_extendable=True), expires_at=T + timedelta(days=9))
    own.commit()

    def doing(act, command):
        return lambda session: perform(session, actor, T, lambda work: act(work, command))

    made = doing(benefits.extend_several, benefits.ExtendBenefits((benefit.id,), extend_days=9))(own)
    undo = doing(benefits.undo_extension, benefits.UndoExtension(made.id))
    assert together(own_database, [undo] * 8) == {"done": 1, "extension.undone": 7}
    own.rollback()
    changes = [line.move for line in read.changes(own, benefit.id)]
    assert changes.count(BenefitMove.EXTENSION_UNDONE) == 1
    assert own.scalars(select(ExtendedBenefit.stays)).all() == [""]
