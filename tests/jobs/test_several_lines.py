"""Texts of several lines in files: what a form keeps on several lines, an export and an import keep so too."""

from __future__ import annotations

import io
import pkgutil
from importlib import import_module

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from tests.factories import Factories
from tests.support.clock import NOW
from tests.support.jobs import run_jobs
from webapp import blueprints
from webapp.adapters import spreadsheets
from webapp.adapters.engines import engine_options
from webapp.domain.identity import Actor
from webapp.domain.import_columns import COLUMNS, Cell, ImportKind
from webapp.domain.imports import ImportContract
from webapp.domain.rewards import RewardStatus
from webapp.models import BenefitDefinition, Group, Reward, Site
from webapp.queries import benefit_definitions, groups, rewards
from webapp.services import imports
from webapp.services.imports import ApplyImport, ChooseColumns, IncomingFile, UploadRows
from webapp.services.work import perform
from webapp.web.fields import ParagraphField

ANN = Actor("Ann Able")
LINES = 'One,  «two»\n\n- three; "four"\n=5\n\tsix\'s\n李'
GUARDED = "=One\nline"
K = ImportKind
MODELS = {K.GROUPS: Group, K.DEFINITIONS: BenefitDefinition, K.REWARDS: Reward}
EXPORTS = {
    K.GROUPS: (groups.EXPORT, groups.stream),
    K.DEFINITIONS: (benefit_definitions.EXPORT, benefit_definitions.stream_all),
    K.REWARDS: (rewards.EXPORT, lambda session: rewards.stream(session, None)),
}
# The blueprint whose form has what the rows of a file tell.
FORMS = {K.FACTS: "profiles", K.GROUPS: "groups", K.DEFINITIONS: "benefit_definitions", K.REWARDS: "rewards"}
# On several lines in a form, because they are long; what a file says of them is read, and written anew.
STRUCTURED = (Cell.CONDITION, Cell.META)


def paragraphs(kind: ImportKind) -> list[str]:
    return [column.name for column in COLUMNS[kind] if column.cell is Cell.PARAGRAPH]


@pytest.fixture
def programme(new_database):
    opened = []

    def new() -> Session:
        url = new_database()
        engine = create_engine(url, **engine_options(url, threads=1))
        opened.append((engine, Session(engine, expire_on_commit=False)))
        Factories(opened[-1][1]).site(name="club")
        return opened[-1][1]

    yield new
    for engine, session in opened:
        session.close()
        engine.dispose()


def fill(session: Session, kind: ImportKind) -> None:
    """Two rows with several lines in every column that may have them."""
    make = Factories(session)
    site_id = session.scalars(select(Site.id)).one()
    makers = {
        K.GROUPS: make.circle,
        K.DEFINITIONS: lambda **more: make.benefit_definition(site_id=site_id, is_published=False, **more),
        K.REWARDS: lambda **more: make.reward(site_id=site_id, status=RewardStatus.DRAFT, **more),
    }
    for text in (LINES, GUARDED):
        makers[kind](**dict.fromkeys(paragraphs(kind), text))
    session.commit()


def exported(session: Session, kind: ImportKind) -> bytes:
    session.rollback()
    session.expire_all()
    names, stream = EXPORTS[kind]
    return b"".join(spreadsheets.csv_stream(names, stream(session)))


def imported(session: Session, kind: ImportKind, content: bytes):
    stream = io.BytesIO(content)
    file = IncomingFile("p.csv", spreadsheets.survey(stream, "p.csv"), spreadsheets.Pieces(stream))
    run = perform(session, ANN, NOW, lambda work: imports.upload_rows(work, UploadRows(kind, file)))
    places = imports.positions(run.mapping, run.headings)
    perform(session, ANN, NOW, lambda work: imports.choose_columns(work, ChooseColumns(run.id, places)))
    run_jobs(session)
    perform(session, ANN, NOW, lambda work: imports.apply(work, ApplyImport(run.id, ImportContract.ALL_OR_NOTHING)))
    run_jobs(session)


@pytest.mark.parametrize("kind", EXPORTS)
@pytest.mark.parametrize("ends", [b"\n", b"\r\n", b"\r"])
def test_line_breaks_come_back_whatever_ends_the_lines(programme, kind, ends):
    first, second = programme(), programme()
    fill(first, kind)
    content = exported(first, kind)
    imported(second, kind, content.replace(b"\r\n", b"\n").replace(b"\n", ends))
    second.rollback()
    second.expire_all()
    for name in paragraphs(kind):
        column = getattr(MODELS[kind], name)
        assert set(second.scalars(select(column))) == {LINES, GUARDED}, name


def fields(package: str) -> set[str]:
    """What the forms of a screen let people type on several lines."""
    forms = import_module(f"{blueprints.__name__}.{package}.forms")
    found = set()
    for form in vars(forms).values():
        for name, field in vars(form).items() if isinstance(form, type) else ():
            if getattr(field, "field_class", None) is ParagraphField:
                found.add(field.kwargs.get("name", name))
    return found


@pytest.mark.parametrize("kind", FORMS)
def test_what_a_form_keeps_on_several_lines_a_file_keeps_so_too(kind):
    typed = fields(FORMS[kind])
    cells = {column.name: column.cell for column in COLUMNS[kind] if column.name in typed}
    assert {name for name, cell in cells.items() if cell not in STRUCTURED} == set(paragraphs(kind)) & typed
    assert paragraphs(kind)


def test_no_other_kind_has_texts_of_several_lines():
    assert {kind for kind in COLUMNS if paragraphs(kind)} == set(FORMS)
    with_forms = {item.name for item in pkgutil.iter_modules(blueprints.__path__) if item.ispkg}
    others = {str(kind).replace("-", "_") for kind in ImportKind} & with_forms - set(FORMS.values())
    assert {name for name in others if has_forms(name) and fields(name) & names()} == set()


def has_forms(package: str) -> bool:
    return any(
        item.name == "forms"
        for item in pkgutil.iter_modules(import_module(f"{blueprints.__name__}.{package}").__path__)
    )


def names() -> set[str]:
    return {column.name for kind in COLUMNS if kind not in FORMS for column in COLUMNS[kind]}
