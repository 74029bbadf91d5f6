"""People are typed in and changed; what the log says of it names nobody."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from sqlalchemy import select

from tests.factories import NOW
from webapp.domain.errors import Conflict, Refused
from webapp.domain.people import AttributeKind
from webapp.models import AuditEntry, Profile, ProfileIdentity
from webapp.services import profiles
from webapp.services.profiles import ChangeProfile, CreateAttribute, CreateProfile, IdentityLine
from webapp.services.work import transaction

WORDS = {"first_name": "Zoë", "last_name": "Berg", "email": "Zoe@example.com", "external_id": "ZB9"}


def create(session, actor, **words):
    with transaction(session, actor, NOW) as work:
        return profiles.create(work, CreateProfile(**WORDS | words))


def change(session, actor, profile, **words):
    command = ChangeProfile(profile_id=profile.id, version=words.pop("version", profile.version), **WORDS | words)
    with transaction(session, actor, NOW) as work:
        return profiles.change(work, command)


def said(session, profile):
    rows = session.scalars(
        select(AuditEntry).where(AuditEntry.subject == f"profiles:{profile.id}").order_by(AuditEntry.id)
    )
    return [(row.event, row.facts) for row in rows]


def test_everything_typed_of_a_person_is_kept(session, actor, make):
    shop, tier, fact = make.place(), make.tier(), make.fact("choice", choices=["light", "dark"])
    person = create(
        session, actor,
        title="Dr", phone="0412", home_phone="02 9", postcode="2000", birth_day=31, birth_month=3, gender="female",
        joined_at=date(2026, 1, 31), joined_location=shop.external_id, preferred_location=shop.external_id,
        tier=tier.name, tags="vip", statuses="gold card", zone="australia/sydney", consents=("email_promo",),
        attributes={fact.name: "dark"}, identities=(IdentityLine("Web Shop", "C1"),), timezone="Australia/Sydney",
    )  # fmt: skip
    session.expire_all()
    kept = session.get_one(Profile, person.id)
    assert (kept.title, kept.phone, kept.home_phone, kept.email_key) == ("Dr", "0412", "02 9", "zoe@example.com")
    assert (kept.birth_day, kept.birth_month, kept.birth_year, kept.gender) == (31, 3, None, "female")
    assert kept.joined_at == datetime(2026, 1, 30, 13, tzinfo=UTC)
    assert (kept.joined_location_id, kept.preferred_location_id, kept.tier_id) == (shop.id, shop.id, tier.id)
    assert (kept.tags, kept.statuses, kept.zone) == (["vip"], ["gold card"], "Australia/Sydney")
    assert kept.consents == {"email_promo": True}
    assert kept.attributes == {"postcode": "2000", fact.name: "dark"}
    assert kept.search_text == "berg zoe zb9 zoe@example.com 0412"
    rows = session.scalars(select(ProfileIdentity)).all()
    assert [(row.profile_id, row.system, row.identifier) for row in rows] == [(person.id, "web shop", "C1")]
    assert said(session, person) == [("profile.created", {"person": str(person.id)})]


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"external_id": "ZB9", "email": "other@example.com"}, "external_id"),
        ({"external_id": "X1", "email": "ZOE@example.com"}, "email"),
        ({"external_id": "X1", "email": "", "identities": (IdentityLine("till", "C1"),)}, "identities"),
    ],
)
def test_what_names_somebody_else_already_is_refused(session, actor, words, field):
    create(session, actor, identities=(IdentityLine("till", "C1"),))
    with pytest.raises(Conflict) as refused:
        create(session, actor, **words)
    assert (refused.value.code, refused.value.field) == ("profile.taken", field)
    assert len(session.scalars(select(Profile)).all()) == 1


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"external_id": "", "email": "", "first_name": ""}, "first_name"),
        ({"email": "not an address"}, "email"),
        ({"birth_day": 31, "birth_month": 2}, "birth_day"),
        ({"joined_location": "nowhere"}, "joined_location"),
        ({"preferred_location": "nowhere"}, "preferred_location"),
        ({"tier": "platinum"}, "tier"),
        ({"zone": "Moon/Base"}, "zone"),
        ({"identities": (IdentityLine("till", ""),)}, "identities"),
        ({"identities": (IdentityLine("till", "1"), IdentityLine("Till", "1"))}, "identities"),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(session, actor, words, field):
    with pytest.raises(Refused) as refused:
        create(session, actor, **words)
    assert refused.value.field == field


def test_a_fact_that_does_not_fit_is_refused_with_its_title(session, actor, make):
    fact = make.fact("whole number", title="Shoe size")
    with pytest.raises(Refused, match=r"Shoe size: Write a whole number such as 12 or -3, not «big»\."):
        create(session, actor, attributes={fact.name: "big"})


def test_a_change_tells_what_changed_and_names_nobody(session, actor, make):
    silver, gold = make.tier(title="Silver"), make.tier(title="Gold")
    person = create(session, actor, tier=silver.name)
    change(
        session, actor, person, last_name="Bergström", email="z@new.example", tier=gold.name, consents=("sms_promo",)
    )
    told = said(session, person)[-1][1]["changes"]
    assert told == "last name, e-mail; tier from «Silver» to «Gold»; consents from «none» to «sms_promo»"
    assert session.get_one(Profile, person.id).version == 2


def test_a_form_saved_unchanged_tells_nothing(session, actor):
    person = create(session, actor)
    change(session, actor, person)
    assert len(said(session, person)) == 1


def test_who_saves_over_another_change_is_told(session, actor):
    person = create(session, actor)
    change(session, actor, person, phone="1")
    with pytest.raises(Conflict, match="changed this person while the form was open: mobile"):
        change(session, actor, person, phone="2", version=1)


def test_a_further_address_changes_places_with_the_first(session, actor, make):
    person = create(session, actor)
    alias = make.profile(external_id=None, email="z@new.example", merged_into_id=person.id)
    change(session, actor, person, email="z@new.example")
    session.expire_all()
    assert (person.email_key, alias.email_key) == ("z@new.example", "zoe@example.com")


def test_a_member_who_shares_an_address_can_be_changed(session, actor, make):
    create(session, actor)
    other = make.profile(external_id="X1", email="zoe@example.com", email_key=None)
    change(session, actor, other, external_id="X1", phone="1")
    assert (other.phone, other.email_key) == ("1", None)


def test_a_switch_turned_off_stays_known_as_refused(session, actor):
    person = create(session, actor, consents=("email_promo", "sms_promo"))
    change(session, actor, person, consents=("sms_promo",))
    assert person.consents == {"email_promo": False, "sms_promo": True}


def test_facts_no_form_asks_for_stay(session, actor, make):
    person = create(session, actor)
    person.attributes = {"shop.old": "x", "postcode": "1"}
    session.commit()
    change(session, actor, person, postcode="")
    assert person.attributes == {"shop.old": "x"}


def test_a_moment_a_file_gave_is_not_cut_to_its_day(session, actor):
    person = create(session, actor)
    person.joined_at = datetime(2026, 1, 31, 14, 5, tzinfo=UTC)
    session.commit()
    change(session, actor, person, joined_at=date(2026, 1, 31))
    assert person.joined_at == datetime(2026, 1, 31, 14, 5, tzinfo=UTC)


def test_identities_become_those_listed(session, actor):
    person = create(session, actor, identities=(IdentityLine("till", "1"), IdentityLine("web", "2")))
    change(session, actor, person, identities=(IdentityLine("web", "2", is_active=False), IdentityLine("app", "3")))
    rows = session.scalars(select(ProfileIdentity).order_by(ProfileIdentity.system)).all()
    assert [(row.system, row.identifier, row.is_active) for row in rows] == [("app", "3", True), ("web", "2", False)]
    assert said(session, person)[-1][1]["changes"] == "identities"


def test_a_fact_is_named_once_archived_and_brought_back(session, actor):
    words = {"title": "Favourite roast", "namespace": "Shop", "kind": AttributeKind.CHOICE, "choices": "light\ndark\n"}
    made = []
    for _ in range(2):
        with transaction(session, actor, NOW) as work:
            made.append(profiles.create_attribute(work, CreateAttribute(**words)))
    assert [one.name for one in made] == ["shop.favourite-roast", "shop.favourite-roast-2"]
    assert made[0].choices == ["light", "dark"]
    for act, command, archived in (
        (profiles.archive_attribute, profiles.ArchiveAttribute(made[0].id), NOW),
        (profiles.archive_attribute, profiles.ArchiveAttribute(made[0].id), NOW),
        (profiles.restore_attribute, profiles.RestoreAttribute(made[0].id), None),
    ):
        with transaction(session, actor, NOW) as work:
            assert act(work, command).archived_at == archived
    events = session.scalars(
        select(AuditEntry.event).where(AuditEntry.subject == f"attribute_definitions:{made[0].id}")
    )
    assert sorted(events) == ["attribute.archived", "attribute.created", "attribute.restored"]


def test_a_choice_needs_something_to_choose_from(session, actor):
    words = {"title": "Roast", "namespace": "", "kind": AttributeKind.CHOICE, "choices": "dark\n dark \n"}
    with pytest.raises(Refused, match="1 different lines"), transaction(session, actor, NOW) as work:
        profiles.create_attribute(work, CreateAttribute(**words))
