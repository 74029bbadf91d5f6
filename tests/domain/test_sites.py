"""Zones and staff domains as typed."""

import pytest

from webapp.domain import sites as rules
from webapp.domain.errors import Refused


def test_zones_are_places_people_know():
    assert "Europe/London" in rules.zones()
    assert "Australia/Sydney" in rules.zones()
    assert "UTC" in rules.zones()
    assert not [zone for zone in rules.zones() if zone.startswith(("Etc/", "posix", "right", "SystemV"))]


@pytest.mark.parametrize(
    ("typed", "zone"),
    [
        ("Europe/London", "Europe/London"),
        (" europe/london ", "Europe/London"),
        ("america/new york", "America/New_York"),
    ],
)
def test_a_zone_is_found_however_it_is_spelt(typed, zone):
    assert rules.checked_zone(typed) == zone


@pytest.mark.parametrize("typed", ["", "London", "GMT+1", "Europe/Lon", "../etc/passwd"])
def test_what_is_no_zone_is_refused_on_its_field(typed):
    with pytest.raises(Refused) as refusal:
        rules.checked_zone(typed)
    assert refusal.value.field == "timezone"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("", ""),
        ("club.example", "club.example"),
        (" @Club.Example ; club.example, mail.club.co.uk.", "club.example, mail.club.co.uk"),
        ("münchen.example", "xn--mnchen-3ya.example"),
    ],
)
def test_domains_have_one_spelling(typed, kept):
    assert rules.checked_domains(typed) == kept


@pytest.mark.parametrize("typed", ["club", "ann@club.example", "-club.example", "club..example", "a" * 64 + ".example"])
def test_what_is_no_domain_is_refused_by_name(typed):
    with pytest.raises(Refused) as refusal:
        rules.checked_domains(typed)
    assert refusal.value.field == "staff_domains"
    assert typed[:20] in refusal.value.message


def test_too_many_domains_are_refused():
    with pytest.raises(Refused):
        rules.checked_domains(", ".join(f"club-{number}.example" for number in range(100)))


def test_changes_tell_what_was_and_what_is():
    assert rules.changes({"title": "A", "staff_domains": ""}, {"title": "B", "staff_domains": ""}) == (
        "title from «A» to «B»"
    )
