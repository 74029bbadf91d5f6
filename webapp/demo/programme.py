"""The sample programme: sites, people who sign in, vouchers, and draws at every stage of their life."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from typing import TypeVar

from sqlalchemy.orm import Session

from webapp.adapters import randomness, spreadsheets
from webapp.config import Settings
from webapp.demo import belonging, benefits, definitions, people, records, states, uploads
from webapp.domain import webhook_secrets
from webapp.domain.fulfilment import Stage
from webapp.domain.identity import Actor, Grant
from webapp.domain.imports import ImportContract
from webapp.domain.permissions import Role
from webapp.domain.rewards import RewardKind
from webapp.domain.webhook_secrets import SecretMaker
from webapp.jobs import registry
from webapp.jobs.runner import Runner
from webapp.models import Draw, Reward, Site, StaffMember, VoucherType
from webapp.queries import draws as read_draws
from webapp.queries import fulfilment as read_winners
from webapp.queries import rewards as read_rewards
from webapp.services import (
    draws,
    fulfilment,
    imports,
    passwords,
    review,
    rewards,
    settings,
    sites,
    staff,
    voucher_types,
    vouchers,
)
from webapp.services.work import Work, perform

T = TypeVar("T")
SCALES = {"small": 1, "large": 40}
TEAM = (
    ("Nora Fields", Role.EDITOR),
    ("Sam Okafor", Role.DRAW_SUPERVISOR),
    ("Mina Castle", Role.FULFILMENT),
    ("Ada Berg", Role.ADMINISTRATOR),
    ("Tilly Marsh", Role.TILL),
    ("Vik Lund", Role.VIEWER),
)
DICE = ("63454660390103169462", "08772473296991897540", "40138815920077346152")
TERMS = (
    "One entry for every receipt over £5. Winners are told by e-mail within seven days and have 14 days to accept. "
    "A prize that is not accepted passes to the next reserve. Staff and their families may not enter."
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """One way into the demo."""

    name: str
    role: str
    email: str
    password: str


class Builder:
    """Walks the calendar of a programme: everything is done by somebody, at some moment, through the services."""

    def __init__(self, sessions: Callable[[], Session], now: datetime, settings: Settings, scale: str) -> None:
        self.sessions = sessions
        self.now = now
        self.settings = settings
        self.mint = vouchers.Mint(vouchers.code_key(settings.secret_key), randomness.entropy)
        self.secrets = SecretMaker(webhook_secrets.key(settings.secret_key), randomness.entropy)
        self.factor = SCALES[scale]
        self.actors: dict[Role, Actor] = {}

    def do(self, role: Role, ago: timedelta, act: Callable[[Work], T]) -> T:
        """One transaction of whoever has ``role``, ``ago`` before now."""
        with self.sessions() as session:
            return perform(session, self.actors[role], self.now - ago, act)

    def do_as(self, actor: Actor, ago: timedelta, act: Callable[[Work], T]) -> T:
        """The same by somebody who is not one of the team of the sign-ins."""
        with self.sessions() as session:
            return perform(session, actor, self.now - ago, act)

    def drain(self) -> None:
        """Run every job that waits."""
        Runner(self.sessions, registry.kinds(), settings=self.settings).drain()

    def build(self) -> list[SignIn]:
        """The whole programme; gives one sign-in per role."""
        found = self._team()
        harbour, outdoor = self._sites()
        coffee, pass_type = self._voucher_types(harbour, outdoor)
        self._draft(harbour, coffee)
        self._open(harbour, coffee)
        self._closed(outdoor, pass_type)
        self._sealed(harbour, coffee)
        self._complete(outdoor)
        self._awarding(harbour, coffee)
        belonging.build(self, harbour)
        states.build(self, harbour)
        made = definitions.build(self, harbour, outdoor, coffee)
        benefits.build(self, made)
        uploads.build(self, harbour)
        definitions.retire(self, made["old-stamp"])
        records.build(self)
        return found

    def _team(self) -> list[SignIn]:
        self.actors[Role.ADMINISTRATOR] = Actor("Set-up", grants=frozenset({Grant(Role.ADMINISTRATOR)}))
        found = []
        for name, role in TEAM:
            email = f"{name.split()[0].lower()}@harbour.example"
            secret = randomness.token(12)
            command = staff.AddStaff(email, name, (Grant(role),), passwords.hashed(secret))
            member: StaffMember = self.do(Role.ADMINISTRATOR, timedelta(days=90), partial(staff.add, command=command))
            found.append((member, role, SignIn(name, role.value, email, secret)))
        # A demo is tried out without a telephone; every page says that the second factor is optional here.
        choices = settings.ChangeSettings(
            is_small_team=False, is_second_factor_optional=True, version=0, anchor_emails=records.AUDITOR
        )
        self.do(Role.ADMINISTRATOR, timedelta(days=90), lambda work: settings.change(work, choices))
        for member, role, _ in found:
            self.actors[role] = Actor(member.name, member.id, frozenset({Grant(role)}))
        return [way for _, _, way in found]

    def _sites(self) -> tuple[Site, Site]:
        ago = timedelta(days=80)
        first = sites.CreateSite(
            title="Harbour Coffee",
            organiser="Harbour Coffee Roasters Ltd",
            timezone="Europe/London",
            staff_domains="staff.harbour.example",
        )
        second = sites.CreateSite(
            title="Northwind Outdoor",
            organiser="Northwind Outdoor Pty Ltd",
            timezone="Australia/Sydney",
            staff_domains="northwind.example",
        )
        return (
            self.do(Role.EDITOR, ago, lambda work: sites.create(work, first)),
            self.do(Role.EDITOR, ago, lambda work: sites.create(work, second)),
        )

    def _voucher_types(self, harbour: Site, outdoor: Site) -> tuple[VoucherType, VoucherType]:
        ago = timedelta(days=79)
        made = []
        for site, code, title, value, currency, count in (
            (harbour, "COFFEE-25", "Coffee for a month", 2500, "GBP", 400),
            (outdoor, "PASS-100", "Park pass", 10000, "AUD", 120),
        ):
            command = voucher_types.CreateVoucherType(
                site_id=site.id,
                code=code,
                title=title,
                subtitle=f"A gift from {site.title}",
                value_minor=value,
                currency=currency,
                valid_for_days=180,
                static_expiry_on=None,
                id_pattern="",
                terms="Valid once, in any of our shops. No change is given. Keep it as you would keep cash.",
                notes="",
            )
            kind = self.do(Role.EDITOR, ago, partial(voucher_types.create, command=command))
            wanted = vouchers.GenerateVouchers(kind.id, count * self.factor)
            self.do(Role.EDITOR, ago, partial(vouchers.generate, command=wanted, mint=self.mint))
            made.append(kind)
        self.drain()
        return made[0], made[1]

    def _reward(
        self, site: Site, title: str, ago: int, *, days: int, kind: VoucherType | None, **changes: object
    ) -> Reward:
        """A draft made ``ago`` days before now whose entries are taken for ``days`` days from then."""
        first = (self.now - timedelta(days=ago)).date()
        terms: dict[str, object] = {
            "sub_title": "",
            "starts_at": first,
            "ends_at": date.fromordinal(first.toordinal() + days),
            "prizes": (
                rewards.PrizeLine("Weekend in Whitby", 1, 60000),
                rewards.PrizeLine("Coffee for a month", 3, 2500),
            ),
            "reserve_count": None,
            "voucher_type_id": kind.id if kind else None,
            "vouchers_per_winner": 1,
            "one_per_recipient": False,
            "exclude_previous_winners": False,
            "min_wait_minutes": 10,
            "witnessed_value": "",
            "terms": TERMS,
            "notes": "",
        }
        command = rewards.CreateReward(
            title=title,
            site_id=site.id,
            kind=RewardKind.PRIZE_DRAW,
            **terms | changes,  # type: ignore[arg-type]
        )
        return self.do(Role.EDITOR, timedelta(days=ago, hours=2), lambda work: rewards.create(work, command))

    def _take_entries(self, reward: Reward, ago: int, until: int, count: int, *, messy: bool = False) -> None:
        """Open ``ago`` days before now and upload a file of entries made until ``until`` days before now."""
        opening = rewards.OpenReward(reward.id, randomness.entropy(32), randomness.entropy(32))
        self.do(Role.EDITOR, timedelta(days=ago), lambda work: rewards.open_for_entries(work, opening))
        since, end = self.now - timedelta(days=ago), self.now - timedelta(days=until, hours=1)
        data = people.file(count * self.factor, since, end, reward.id, messy=messy)
        name = f"{reward.name}.csv"
        survey = spreadsheets.survey(io.BytesIO(data), name)
        upload = imports.UploadEntries(reward.id, imports.IncomingFile(name, survey, [data]))
        back = timedelta(days=until)
        run = self.do(Role.EDITOR, back, lambda work: imports.upload(work, upload))
        columns = imports.ChooseColumns(run.id, imports.positions(run.mapping, list(run.headings)))
        self.do(Role.EDITOR, back, lambda work: imports.choose_columns(work, columns))
        self.drain()
        apply = imports.ApplyImport(run.id, ImportContract.GOOD_ROWS)
        self.do(Role.EDITOR, back, lambda work: imports.apply(work, apply))
        self.drain()

    def _draft(self, site: Site, kind: VoucherType) -> None:
        self._reward(site, "A year of coffee", 2, days=40, kind=kind, sub_title="One winner, 365 cups")

    def _open(self, site: Site, kind: VoucherType) -> None:
        reward = self._reward(site, "Autumn ferry draw", 12, days=30, kind=kind, sub_title="Two on the night boat")
        self._take_entries(reward, 12, 1, 900, messy=True)

    def _closed(self, site: Site, kind: VoucherType) -> None:
        reward = self._reward(site, "Park pass giveaway", 30, days=28, kind=kind, one_per_recipient=True)
        self._take_entries(reward, 30, 2, 400, messy=True)
        self._close(reward, timedelta(days=1))

    def _sealed(self, site: Site, kind: VoucherType) -> None:
        reward = self._reward(site, "Harvest hamper draw", 25, days=24, kind=kind, sub_title="Waiting for its witness")
        self._take_entries(reward, 25, 2, 600)
        self._seal(self._close(reward, timedelta(hours=5)), timedelta(hours=1))

    def _complete(self, site: Site) -> None:
        prizes = (rewards.PrizeLine("Two-person tent", 2, 45000),)
        reward = self._reward(site, "Spring tent draw", 75, days=20, kind=None, prizes=prizes, reserve_count=3)
        self._take_entries(reward, 75, 54, 250)
        self._draw(self._seal(self._close(reward, timedelta(days=53)), timedelta(days=52)), timedelta(days=51), DICE[0])
        for winner in self._standing(reward):
            self._hand_over(winner, timedelta(days=45))
        finish = fulfilment.FinishReward(reward.id)
        self.do(Role.FULFILMENT, timedelta(days=40), lambda work: fulfilment.finish(work, finish))

    def _awarding(self, site: Site, kind: VoucherType) -> None:
        reward = self._reward(
            site,
            "Summer in Whitby",
            45,
            days=30,
            kind=kind,
            sub_title="Drawn, winners being told",
            exclude_previous_winners=True,
        )
        self._take_entries(reward, 45, 15, 1_200, messy=True)
        self._draw(self._seal(self._close(reward, timedelta(days=14)), timedelta(days=13)), timedelta(days=12), DICE[1])
        first, second, third, _ = self._standing(reward)
        self._hand_over(first, timedelta(days=9))
        leave = fulfilment.LeaveSlot(second, Stage.DECLINED, "Cannot travel and would rather it went to somebody else")
        self.do(Role.FULFILMENT, timedelta(days=8), lambda work: fulfilment.leave(work, leave))
        told = fulfilment.NotifyWinner(third, "Phoned and e-mailed; will answer by Friday")
        self.do(Role.FULFILMENT, timedelta(days=7), lambda work: fulfilment.notify(work, told))
        heir = self._standing(reward)[-1]
        self.do(Role.FULFILMENT, timedelta(days=6), lambda work: fulfilment.accept(work, fulfilment.AcceptPrize(heir)))

    def _close(self, reward: Reward, ago: timedelta) -> Draw:
        self.do(Role.EDITOR, ago, lambda work: rewards.close(work, rewards.CloseReward(reward.id)))
        with self.sessions() as session:
            return read_draws.sheet(session, reward.name, None).draw

    def _seal(self, draw: Draw, ago: timedelta) -> Draw:
        self.do(Role.EDITOR, ago, lambda work: review.confirm(work, review.ConfirmReview(draw.id)))
        with tempfile.TemporaryFile() as spool:
            return self.do(
                Role.EDITOR,
                ago - timedelta(minutes=3),
                lambda work: draws.seal(work, draws.SealDraw(draw.id), draws.prepare(work.session, draw.id, spool)),
            )

    def _draw(self, draw: Draw, ago: timedelta, value: str) -> None:
        command = draws.RunDraw(draw.id, value, value, "Margit Havel", "solicitor", held_fingerprint=True)
        self.do(Role.DRAW_SUPERVISOR, ago, lambda work: draws.run(work, command))

    def _hand_over(self, winner_id: int, ago: timedelta) -> None:
        told = fulfilment.NotifyWinner(winner_id, "Phoned; delighted")
        given = fulfilment.HandOver(winner_id, "Posted, tracked and signed for")
        self.do(Role.FULFILMENT, ago, lambda work: fulfilment.notify(work, told))
        self.do(Role.FULFILMENT, ago, lambda work: fulfilment.accept(work, fulfilment.AcceptPrize(winner_id)))
        self.do(Role.FULFILMENT, ago - timedelta(hours=20), lambda work: fulfilment.hand_over(work, given))

    def _standing(self, reward: Reward) -> list[int]:
        """Ids of the winners still to be told, in the order of the draw."""
        with self.sessions() as session:
            found = read_rewards.id_of(session, reward.name, None)
            return [card.id for card in read_winners.board(session, found)[Stage.TO_CONTACT]]
