"""`erase`: a person is forgotten by one command."""

from __future__ import annotations

import json

from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from webapp.adapters.engines import engine_options
from webapp.models import Profile


def test_a_person_is_erased_by_what_they_are_known_by(command):
    engine = create_engine(command.settings.database, **engine_options(command.settings.database, threads=1))
    with Session(engine, expire_on_commit=False) as session:
        make = Factories(session)
        person = make.profile(first_name="Xanthippe", email="xq@quill.example")
        make.identity(person.id)
        make.joined(person.id, make.circle(member_count=1).id)
    assert "Nobody has the member id" in command("erase", "nobody@quill.example", status=1).stderr
    asked = command("erase", "xq@quill.example", stdin="n\n", status=1).stdout
    assert "0 entries (0 of them in sealed draws, kept without a name), 0 messages, 1 membership, 1 identity." in asked
    assert "0 benefits and 0 vouchers stay without a name; 0 and 0 of them can still be redeemed." in asked
    assert "Erase this person for good?" in asked
    told = json.loads(command("erase", "XQ@quill.example", "--yes", "--json").stdout)
    assert (told["person"], told["entries"]) == (person.id, 0)
    with Session(engine) as session:
        left = session.scalars(select(Profile)).one()
        assert (left.first_name, left.email) == ("", "")
        assert left.external_id.startswith("erased-")
    engine.dispose()
