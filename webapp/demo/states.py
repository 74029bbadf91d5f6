"""What a programme comes to in a year: staff who come and go, people in full, merged and erased, an import taken back."""

from __future__ import annotations

import io
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from webapp.adapters import randomness, spreadsheets
from webapp.domain import ciphers, second_factor
from webapp.domain.identity import Actor, Grant
from webapp.domain.import_columns import ImportKind
from webapp.domain.imports import ImportContract
from webapp.domain.people import AttributeKind, Gender
from webapp.domain.permissions import Role
from webapp.queries import organisations as read_organisations
from webapp.services import import_undo, imports, passwords, profiles, saved_views, staff, staff_second_factor
from webapp.services.profiles.identities import IdentityLine

if TYPE_CHECKING:
    from webapp.demo.programme import Builder
    from webapp.models import ImportRun, Profile, Site

_HEADINGS = "Member ID,First name,Surname,E-mail,Mobile\n"
_PEOPLE = (
    "N-1001,Marit,Sandvik,marit.sandvik@post.example,0401000001\n"
    "N-1002,Tomas,Quill,tomas.quill@post.example,0401000002\n"
    "N-1003,Ines,Alvarado,not-an-address,0401000003\n"
    ",Nobody,Knows,,\n"
)
_TWICE = "T-1,Wrong,List,wrong.list@post.example,0402000001\nT-2,Other,Wrong,other.wrong@post.example,0402000002\n"


def build(builder: Builder, site: Site) -> None:
    """Runs last: tiers, locations and organisations are there already."""
    _staff(builder, site)
    _people(builder)
    _uploads(builder)
    _views(builder)


def _staff(builder: Builder, site: Site) -> None:
    """Somebody with a second factor, somebody invited, somebody who left, somebody of one region only."""
    with builder.sessions() as session:
        region = next(row.id for row in read_organisations.page(session, None, read_organisations.Filters("Northern")))
    admin, month = Role.ADMINISTRATOR, timedelta(days=30)
    for name, grant in (
        ("Rosa Northcott", Grant(Role.EDITOR, organisation_id=region)),
        ("Leif Oakes", Grant(Role.VIEWER, site.id)),
        ("Gwen Ridley", Grant(Role.EDITOR, site.id)),
    ):
        secret = passwords.hashed(randomness.token(12))
        command = staff.AddStaff(f"{name.split()[0].lower()}@harbour.example", name, (grant,), secret)
        member = builder.do(admin, month, partial(staff.add, command=command))
    _second_factor(builder, Actor(member.name, member.id, frozenset({Grant(Role.EDITOR, site.id)})))
    leaver = staff.AddStaff("otto@harbour.example", "Otto Hollis", (Grant(Role.TILL, site.id),), secret)
    left = builder.do(admin, month, partial(staff.add, command=leaver))
    builder.do(admin, timedelta(days=4), partial(staff.disable, command=staff.DisableStaff(left.id)))
    for email, ago in (
        ("juno.birch@harbour.example", timedelta(hours=3)),
        ("kirra@harbour.example", timedelta(days=5)),
    ):
        token = randomness.token()
        link = f"{builder.settings.public_url}/invitation/{token}"
        invite = staff.InviteStaff(email, (Grant(Role.FULFILMENT, site.id),), token, link)
        builder.do(admin, ago, partial(staff.invite, command=invite))


def _second_factor(builder: Builder, person: Actor) -> None:
    key, ago = randomness.entropy(32), timedelta(days=29)
    sealed = ciphers.seal(key, f"staff {person.staff_id}", randomness.entropy(ciphers.NONCE), "JBSWY3DPEHPK3PXP")
    codes = second_factor.recovery_codes(randomness.entropy(second_factor.RECOVERY_CODES * second_factor.RECOVERY))
    hashes = tuple(map(second_factor.recovery_hash, codes))
    begin = staff_second_factor.BeginSecondFactor(sealed)
    prove = staff_second_factor.ProveSecondFactor(sealed, 1, hashes)
    builder.do_as(person, ago, partial(staff_second_factor.begin, command=begin))
    builder.do_as(person, ago, partial(staff_second_factor.prove, command=prove))


def _people(builder: Builder) -> None:
    """One person with everything there is to know, one who was two rows, one who asked to be forgotten."""
    fact = profiles.CreateAttribute(
        title="Favourite roast", namespace="coffee", kind=AttributeKind.CHOICE, choices="Light\nDark"
    )
    builder.do(Role.EDITOR, timedelta(days=70), partial(profiles.create_attribute, command=fact))
    whole = profiles.CreateProfile(
        external_id="P-0001", title="Dr", first_name="Marama", last_name="Castell-Ørsted",
        email="marama@post.example", phone="+44 1947 496 000", home_phone="01947 496 001", postcode="YO21 1AA",
        birth_day=29, birth_month=2, birth_year=1984, gender=Gender.FEMALE, joined_at=(builder.now - timedelta(days=70)).date(),
        joined_location="HBR01-BAR", preferred_location="HBR01-CART", tier="captain", tags="barista-friend, rower",
        zone="Europe/London", consents=("email_promo", "sms_service"), attributes={"coffee.favourite-roast": "Dark"},
        identities=(IdentityLine("till", "TILL-4711"), IdentityLine("web", "marama84", is_active=False)),
    )  # fmt: skip
    _create(builder, whole)
    one = _create(builder, profiles.CreateProfile(external_id="P-0002", first_name="Dušan", last_name="Šimek"))
    two = _create(builder, profiles.CreateProfile(first_name="Dusan", last_name="Simek", email="dusan@mail.example"))
    merge = profiles.MergeProfiles(one.id, two.id, "The same person, written without accents")
    builder.do(Role.EDITOR, timedelta(days=12), partial(profiles.merge, command=merge))
    gone = _create(
        builder, profiles.CreateProfile(first_name="Asked", last_name="Toforget", email="forget@mail.example")
    )
    erase = profiles.EraseProfile(gone.id, str(gone.id), randomness.entropy(6).hex())
    builder.do(Role.ADMINISTRATOR, timedelta(days=6), partial(profiles.erase, command=erase))


def _create(builder: Builder, command: profiles.CreateProfile) -> Profile:
    return builder.do(Role.EDITOR, timedelta(days=65), partial(profiles.create, command=command))


def _uploads(builder: Builder) -> None:
    """A file with rejects nobody mended yet, one that was taken back, one that waits for a decision."""
    _apply(builder, _upload(builder, "new-regulars.csv", _PEOPLE, timedelta(days=3)), timedelta(days=3))
    wrong = _upload(builder, "wrong-list.csv", _TWICE, timedelta(days=2))
    _apply(builder, wrong, timedelta(days=2))
    undo = import_undo.UndoImport(wrong.id)
    builder.do(Role.EDITOR, timedelta(days=1), partial(import_undo.undo, command=undo))
    builder.drain()
    _upload(builder, "spring-sign-ups.csv", _PEOPLE.replace("N-", "S-").replace("@post", "@mail"), timedelta(hours=2))


def _upload(builder: Builder, name: str, rows: str, ago: timedelta) -> ImportRun:
    data = (_HEADINGS + rows).encode()
    file = imports.IncomingFile(name, spreadsheets.survey(io.BytesIO(data), name), [data])
    upload = imports.UploadRows(ImportKind.PROFILES, file)
    run = builder.do(Role.EDITOR, ago, partial(imports.upload_rows, command=upload))
    columns = imports.ChooseColumns(run.id, imports.positions(run.mapping, list(run.headings)))
    builder.do(Role.EDITOR, ago, partial(imports.choose_columns, command=columns))
    builder.drain()
    return run


def _apply(builder: Builder, run: ImportRun, ago: timedelta) -> None:
    command = imports.ApplyImport(run.id, ImportContract.GOOD_ROWS)
    builder.do(Role.EDITOR, ago, partial(imports.apply, command=command))
    builder.drain()


def _views(builder: Builder) -> None:
    for title, is_shared, screen, query in (
        ("Taking entries", True, "rewards", "status=active"),
        ("My drafts", False, "rewards", "status=draft"),
    ):
        view = saved_views.SaveView(title, is_shared, screen, query)
        builder.do(Role.EDITOR, timedelta(days=9), partial(saved_views.save, command=view))
