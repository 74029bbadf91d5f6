"""The life of a draw: opened with a commitment, closed, sealed, drawn. The bytes come from ``domain.protocol``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import IO, Any

from sqlalchemy import ColumnElement, false, or_, select, true, update
from sqlalchemy.orm import Session, selectinload

from webapp import __version__
from webapp.domain import draws as rules
from webapp.domain.audit import Event
from webapp.domain.draws import DrawState
from webapp.domain.errors import Conflict, Refused
from webapp.domain.fulfilment import Stage
from webapp.domain.protocol import codes, declarations, entries, log, results, seed, texts
from webapp.domain.protocol.errors import ProtocolError
from webapp.domain.protocol.ranking import Per
from webapp.models import AccountSettings, Draw, DrawRound, Entry, Reward, Site, Winner
from webapp.queries import draws as read
from webapp.queries import files as stored
from webapp.queries import rewards as read_rewards
from webapp.services import draw_log, files, review
from webapp.services.work import Work

REFERENCE = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
BLOCK = 10_000
SEALED_MAIL = """\
The draw of «{title}» ({reference}) is sealed: {entries} entries with {tickets} tickets.

Fingerprint of the seal, all 64 digits:
{fingerprint}

Keep this message. After the draw, compare the fingerprint with the one in the evidence: if they agree, neither the
list nor the prizes were changed after this message was sent.

The witness supplies: {source}
Not before: {not_before} UTC
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A list read and hashed but not yet sealed: what the seal will say, and which review it saw."""

    entries: entries.EntriesSeal
    reviewed_at: datetime | None
    file: IO[bytes]


@dataclass(frozen=True, slots=True)
class SealDraw:
    """Fix the list, the prizes and the source of the value for good."""

    draw_id: int


@dataclass(frozen=True, slots=True)
class RunDraw:
    """The value as the witness gave it, typed twice, and who gave it."""

    draw_id: int
    value: str
    value_again: str
    witness_name: str
    witness_capacity: str
    held_fingerprint: bool


def open_draw(work: Work, reward: Reward, secret: bytes, holder_key: bytes) -> Draw:
    """Commit to the code when entries open, before anybody could know who enters (draws.md 3.1 «open»)."""
    digest = sha256(b"reference\n" + holder_key).digest()
    reference = "D-" + "".join(REFERENCE[byte % 32] for byte in digest[:8])
    draw = Draw(
        reward_id=reward.id,
        reference=reference,
        secret=secret,
        holder_key=holder_key,
        code_commit=codes.commit(secret),
        opened_at=work.now,
    )
    work.session.add(draw)
    work.session.flush()
    draw_log.append(work, draw.id, log.Event.OPENED, commit=draw.code_commit)
    return draw


def close_draw(work: Work, draw: Draw, reward: Reward) -> None:
    """open → closed, and the exclusions the rules find; staff look at them before the seal."""
    draw.state = DrawState.CLOSED
    draw.closed_at = work.now
    work.session.flush()
    review.find_exclusions(work, reward, work.session.get_one(Site, reward.site_id))
    review.count(work, draw)
    draw_log.append(work, draw.id, log.Event.CLOSED, entries=draw.entry_count)


def prepare(session: Session, draw_id: int, spool: IO[bytes]) -> Prepared:
    """Write ``entries.csv`` to ``spool`` and hash it in the same pass; memory does not grow with the list.

    Raises ``Refused`` when the list breaks a cap of the protocol.
    """
    draw = read.get(session, draw_id)
    rules.may_seal(read.facts(session, draw)).require()
    try:
        sealed = entries.seal_entries(_rows(session, draw), spool.write)
    except ProtocolError as error:
        raise Refused("draw.list", str(error)) from error
    spool.seek(0)
    return Prepared(sealed, draw.reviewed_at, spool)


def _rows(session: Session, draw: Draw) -> Iterator[bytes]:
    """The rows of the list in order of arrival; a person's name goes in only as a keyed digest."""
    for number, profile_id, tickets, status, nonce, identity in read.list_rows(session, draw.reward_id, BLOCK):
        ok = status is entries.Status.OK
        holder = entries.holder(draw.holder_key, str(profile_id))
        yield entries.row(number, holder, tickets if ok else 0, entries.check(nonce, identity), status)


def seal(work: Work, command: SealDraw, prepared: Prepared) -> Draw:
    """closed → sealed. From here on a trigger refuses every change of the list; the fingerprint goes to people outside.

    The move is one guarded UPDATE: of two who seal at once one gets ``Conflict``, and a list whose review was
    changed after it was read is not sealed.
    """
    moved = work.session.execute(
        update(Draw)
        .where(
            Draw.id == command.draw_id,
            Draw.state == DrawState.CLOSED,
            Draw.reviewed_at == prepared.reviewed_at,
            Draw.eligible_count > 0,
        )
        .values(closed_at=Draw.closed_at)
        .returning(Draw.id)
    ).scalar_one_or_none()
    draw = read.get(work.session, command.draw_id)
    if moved is None:
        rules.may_seal(read.facts(work.session, draw)).require()
        raise Conflict(
            "draw.review_moved", "An exclusion was changed while the list was being read. Look again, then seal."
        )
    reward = read_rewards.get_by_id(work.session, draw.reward_id, selectinload(Reward.prizes))
    site = work.session.get_one(Site, reward.site_id)
    file = files.store(work, "entries.csv", "text/csv", iter(lambda: prepared.file.read(1 << 18), b""))
    not_before = rules.not_before(work.now, reward.min_wait_minutes)
    declaration = _declaration(work, draw, reward, site, prepared.entries, not_before)
    sealed = prepared.entries
    draw.state = DrawState.SEALED
    draw.sealed_at = work.now.replace(microsecond=0)
    draw.sealed_by_id = work.actor.staff_id
    draw.not_before = not_before
    draw.seal, draw.seal_sha256 = declaration, texts.fingerprint(declaration)
    draw.entries_file_id, draw.entries_root = file.id, sealed.root
    draw.entry_count, draw.eligible_count, draw.ticket_count = sealed.count, sealed.eligible, sealed.tickets
    work.session.flush()
    draw_log.append(work, draw.id, log.Event.SEALED, seal=draw.seal_sha256)
    work.record(
        Event.DRAW_SEALED,
        reward,
        site.id,
        reward=reward.title,
        entries=sealed.count,
        tickets=sealed.tickets,
        sha256=draw.seal_sha256,
    )
    _tell_supervisors(work, draw, reward)
    return draw


def _tell_supervisors(work: Work, draw: Draw, reward: Reward) -> None:
    """The fingerprint leaves the house at once, by e-mail, before anybody can know the value (draws.md 4)."""
    for staff_id, email in read.supervisors(work.session, reward.site_id):
        work.post(
            f"draw.sealed:{draw.id}:{staff_id}",
            email,
            f"Sealed: {reward.title}"[:200],
            SEALED_MAIL.format(
                title=reward.title,
                reference=draw.reference,
                fingerprint=draw.seal_sha256,
                entries=f"{draw.entry_count:,}",
                tickets=f"{draw.ticket_count:,}",
                source=reward.witnessed_value,
                not_before=f"{draw.not_before:%Y-%m-%d %H:%M:%S}",
            ),
        )


def _declaration(
    work: Work, draw: Draw, reward: Reward, site: Site, sealed: entries.EntriesSeal, not_before: datetime
) -> bytes:
    """The bytes of ``seal.json``."""
    try:
        return declarations.seal_json(
            declarations.Seal(
                draw=draw.reference,
                sealed_at=work.now.replace(microsecond=0),
                per=Per.HOLDER,
                prizes=[
                    declarations.Prize(
                        prize.handle,
                        prize.title,
                        prize.quantity,
                        None if prize.value_minor is None else f"{prize.value_minor / 100:.2f}",
                    )
                    for prize in reward.prizes
                ],
                reserves=reward.reserve_count,
                entries=sealed,
                commit=draw.code_commit,
                source=declarations.Witnessed(reward.witnessed_value, not_before),
                title=reward.title,
                organiser=site.organiser,
                terms_sha256=texts.fingerprint(reward.terms.encode()) if reward.terms else None,
                software=f"Largesse {__version__}",
            )
        )
    except ProtocolError as error:
        raise Refused("draw.declaration", str(error)) from error


def run(work: Work, command: RunDraw) -> Draw:
    """sealed → drawn, once. Whoever presses second gets the draw as it is, with the one result there is.

    Raises ``Refused`` when the value is mistyped, malformed or under 33 bits, when the sealer presses,
    or before the time the seal names.
    """
    small = work.session.scalar(select(AccountSettings.is_small_team)) or False
    moved = work.session.execute(
        update(Draw)
        .where(
            Draw.id == command.draw_id,
            _is_sealed(),
            Draw.not_before <= work.now,
            Draw.sealed_at <= work.now,
            true() if small else _by_somebody_else(work.actor.staff_id),
        )
        .values(state=DrawState.DRAWN, drawn_at=work.now, drawn_by_id=work.actor.staff_id)
        .returning(Draw.id)
    ).scalar_one_or_none()
    draw = read.get(work.session, command.draw_id)
    if moved is None:
        return _already(work, draw, small=small)
    _check_value(command)
    reward = read_rewards.get_by_id(work.session, draw.reward_id, selectinload(Reward.prizes))
    drawn = results.Round(
        1,
        draw.seal or b"",
        codes.reveal(draw.secret, 1),
        results.PublicValue.witnessed(command.value, work.actor.label),
    )
    outcome = _rank(work.session, draw, drawn)
    _keep(work, draw, command, drawn, outcome)
    told = texts.read_json(outcome, "the result")
    _place(work, draw, reward, told)
    draw_log.append(work, draw.id, log.Event.WITNESSED, round=1, witness=command.witness_name)
    draw_log.append(work, draw.id, log.Event.DRAWN, round=1, result=texts.fingerprint(outcome))
    work.record(
        Event.DRAW_DRAWN,
        reward,
        reward.site_id,
        reward=reward.title,
        value=command.value,
        witness=command.witness_name or "nobody named",
        winners=len(told["winners"]),
    )
    return draw


def _is_sealed() -> ColumnElement[bool]:
    """The guard that lets one press through: whoever comes second finds the draw drawn."""
    return Draw.state == DrawState.SEALED


def _by_somebody_else(staff_id: int | None) -> ColumnElement[bool]:
    """Drawn by a person, and not by the one who sealed it."""
    return false() if staff_id is None else or_(Draw.sealed_by_id != staff_id, Draw.sealed_by_id.is_(None))


def _already(work: Work, draw: Draw, *, small: bool) -> Draw:
    """The draw as it stands when it has been drawn; the reason when it may not be."""
    if draw.state is DrawState.DRAWN:
        work.session.execute(
            update(DrawRound)
            .where(DrawRound.draw_id == draw.id, DrawRound.round == 1)
            .values(attempts=DrawRound.attempts + 1)
        )
        return draw
    rules.may_draw(read.facts(work.session, draw), work.actor.staff_id, work.now, is_small_team=small).require()
    raise Conflict("draw.moved", "The draw was moved on a moment ago. Open the page again.")


def _check_value(command: RunDraw) -> None:
    """The value is typed twice alike, well formed and could not have been guessed (draws.md 1, at least 33 bits)."""
    if command.value != command.value_again:
        raise Refused(
            "draw.value_differs",
            "The two values differ. Ask the witness again and type what they say, twice.",
            "value_again",
        )
    try:
        seed.check_value(command.value)
    except ProtocolError as error:
        raise Refused("draw.value_form", str(error), "value") from error
    if weak := seed.weakness(command.value):
        raise Refused("draw.value_weak", weak, "value")


def _rank(session: Session, draw: Draw, drawn: results.Round) -> bytes:
    """The bytes of ``result-1.json``: a function of the sealed bytes, the code and the value, and of nothing else."""
    if draw.entries_file_id is None:
        raise Refused("draw.no_list", "The sealed list is missing; restore it from a backup before drawing.")
    sealer = entries.Sealer()
    with stored.open_binary(session, draw.entries_file_id) as file:
        outcome = results.draw(drawn, entries.read_entries(file, sealer))
    if sealer.seal().root != draw.entries_root:
        raise Refused("draw.list_changed", "The stored list is not the one that was sealed; restore it from a backup.")
    return outcome


def _keep(work: Work, draw: Draw, command: RunDraw, drawn: results.Round, outcome: bytes) -> None:
    work.session.add(
        DrawRound(
            draw_id=draw.id,
            round=1,
            declaration_sha256=texts.fingerprint(drawn.declaration),
            code=drawn.code,
            value=command.value,
            witness_name=command.witness_name,
            witness_capacity=command.witness_capacity,
            held_fingerprint=command.held_fingerprint,
            seed=drawn.seed().hex(),
            result=outcome,
            result_sha256=texts.fingerprint(outcome),
            drawn_at=work.now,
            drawn_by_id=work.actor.staff_id,
            drawn_by=work.actor.label,
        )
    )


def _place(work: Work, draw: Draw, reward: Reward, told: dict[str, Any]) -> None:
    """Winners to contact and reserves in waiting, as the result names them."""
    places = [*told["winners"], *told["reserves"]]
    numbers = [place["entry"] for place in places]
    people = dict(
        work.session.execute(
            select(Entry.number, Entry.profile_id).where(Entry.reward_id == reward.id, Entry.number.in_(numbers))
        ).all()
    )
    prizes = {prize.handle: prize.id for prize in reward.prizes}
    for place in places:
        slot = place.get("slot")
        work.session.add(
            Winner(
                draw_id=draw.id,
                reward_id=reward.id,
                round=1,
                rank=place["rank"],
                entry_number=place["entry"],
                ticket=place["ticket"],
                number=place["number"],
                holder=place["holder"],
                profile_id=people[place["entry"]],
                prize_id=prizes[slot.partition("#")[0]] if slot else None,
                slot=slot,
                stage=Stage.TO_CONTACT if slot else Stage.RESERVE,
                stage_at=work.now,
            )
        )
    work.session.flush()
