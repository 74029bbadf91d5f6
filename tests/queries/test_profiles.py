"""Everybody is exported with everything, and nobody who was merged or erased."""

from __future__ import annotations

from tests.factories import NOW
from webapp.queries import profiles as read

AT = "2026-03-02T09:00:00Z"  # NOW, as a file says it


def test_an_export_holds_every_field_in_words_files_use(session, make):
    shop, tier = make.place(), make.tier()
    person = make.profile(
        external_id="M1", title="Dr", first_name="Zoë", last_name="Berg", email="z@example.com", phone="1", home_phone="2",
        birth_day=31, birth_month=3, gender="female", joined_at=NOW, joined_location_id=shop.id, tier_id=tier.id,
        tags=["press", "vip"], statuses=["gold"], consents={"email_promo": True, "sms_promo": False}, zone="UTC",
        attributes={"postcode": "2000", "shop.size": 42.5, "shop.shoe": "ö"},
    )  # fmt: skip
    make.identity(person.id, "till", "T1")
    make.identity(person.id, "web", "W1")
    make.profile(merged_into_id=person.id)
    make.profile(erased_at=NOW)
    plain = make.profile(external_id="M2")
    first, second = (dict(zip(read.EXPORT, row, strict=True)) for row in read.stream(session))
    assert first | {"id": 0} == {
        "id": 0, "external_id": "M1", "title": "Dr", "first_name": "Zoë", "last_name": "Berg", "email": "z@example.com",
        "phone": "1", "home_phone": "2", "zone": "UTC", "birth_day": 31, "birth_month": 3, "birth_year": None,
        "gender": "female", "joined_at": AT, "created_at": AT, "updated_at": AT, "tier": tier.name,
        "joined_location": shop.external_id, "preferred_location": None, "tags": "press, vip", "statuses": "gold",
        "consents": "email_promo=yes, sms_promo=no", "postcode": "2000",
        "attributes": '{"shop.shoe": "ö", "shop.size": 42.5}', "identities": "till=T1, web=W1",
    }  # fmt: skip
    assert second["external_id"] == plain.external_id
    assert (second["tags"], second["consents"], second["attributes"], second["identities"]) == ("", "", "", "")
