"""`export KIND --filter …` has the rows that the list of the console exports under the same address."""

from __future__ import annotations

import csv
import io

import pytest
from sqlalchemy import select

from tests.support import narrowing
from webapp.cli.export_kinds import KINDS
from webapp.cli.filters import asked
from webapp.domain.exports import cell
from webapp.models import BenefitDefinition, Group, Module, OrganisationType, VoucherType

SAME = [
    ("profiles", "/profiles/export", "q=kayak"),
    ("organisations", "/organisations/export", "q=kayak"),
    ("organisations", "/organisations/export", "show=archived"),
    ("organisations", "/organisations/export", "show=in-use"),
    ("groups", "/groups/export", "q=kayak"),
    ("groups", "/groups/export", "show=mailing-list"),
    ("groups", "/groups/export", "show=in-use"),
    ("groups", "/groups/export", "show=archived&q=kayak"),
    ("modules", "/modules/export", "q=kayak"),
    ("modules", "/modules/export", "show=archived"),
    ("modules", "/modules/export", "show=in-use"),
    ("locations", "/locations/export", "q=kayak"),
    ("locations", "/locations/export", "show=closed"),
    ("locations", "/locations/export", "show=open"),
    ("definitions", "/benefits/definitions/export", "q=kayak"),
    ("definitions", "/benefits/definitions/export", "state=archived"),
    ("definitions", "/benefits/definitions/export", "tag=water&campaign=may&type=discount"),
    ("benefits", "/benefits/export", "q=kayak"),
    ("benefits", "/benefits/export", "state=void"),
    ("benefits", "/benefits/export", "source=claim&claimed=yes"),
    ("benefits", "/benefits/export", "ends=never"),
    ("benefits", "/benefits/export", "issued_from=2026-03-01&ends_to=2026-03-31"),
    ("codes", "/vouchers/export", "status=cancelled"),
    ("codes", "/vouchers/export", "reward=spring"),
    ("rewards", "/rewards/export", "q=kayak"),
    ("rewards", "/rewards/export", "status=expired"),
    ("sites", "/sites/export", "q=kayak"),
]


def page(console, url):
    """What the list gives as CSV, without the mark of the export."""
    form = console.get(url)
    fields = form.fields("#form") | {"media": "csv", "reason": "Address check for June"}
    answer = console.client.post(form.one("#form")["action"], data=fields)
    found = csv.DictReader(io.StringIO(answer.get_data().decode("utf-8-sig"), newline=""))
    return [{name: value for name, value in row.items() if name != "exported"} for row in found]


def lines(session, kind, filters):
    """What the command gives: the same cells, by the same names."""
    wanted = asked(filters, KINDS[kind].filters)
    return [
        dict(zip(KINDS[kind].columns, map(str, map(cell, row)), strict=True))
        for row in KINDS[kind].rows(session, wanted)
    ]


def ordered(rows):
    return sorted(rows, key=lambda row: list(row.values()))


@pytest.mark.parametrize(("kind", "url", "query"), SAME)
def test_a_filter_means_what_it_means_in_the_address(console, make, session, kind, url, query):
    narrowing.mixed(make)
    there = page(console, f"{url}?{query}")
    assert there
    assert ordered(lines(session, kind, query.split("&"))) == ordered(there)


def test_what_addresses_name_by_number_is_named_as_files_name_it(console, make, session):
    narrowing.mixed(make)

    def number(column, name):
        return session.scalars(select(column.class_.id).where(column == name)).one()

    group, module = number(Group.name, "kayakers"), number(Module.path, "/p1/m1")
    kind, pool = number(OrganisationType.name, "club"), number(VoucherType.code, "OTHER")
    hire = number(BenefitDefinition.handle, "hire")
    for name, filters, url in (
        ("organisations", ["type=club"], f"/organisations/export?type={kind}"),
        ("memberships", ["group=kayakers"], f"/groups/{group}/export"),
        ("memberships", ["group=kayakers", "q=kayak"], f"/groups/{group}/export?q=kayak"),
        ("completions", ["module=kayak:/p1/m1"], f"/modules/{module}/export"),
        ("completions", ["module=kayak:/p1/m1", "q=kayak"], f"/modules/{module}/export?q=kayak"),
        ("benefits", ["definition=hire"], f"/benefits/export?definition={hire}"),
        ("codes", ["type=OTHER"], f"/vouchers/export?type={pool}"),
    ):
        there = page(console, url)
        assert there
        assert lines(session, name, filters) == there, name
