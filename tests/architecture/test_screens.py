"""House rules of screens, forms and templates that a linter cannot see."""

from __future__ import annotations

import re

import pytest
from jinja2 import Environment, nodes

from webapp.config import ROOT
from webapp.web.forms import CommandForm

TEMPLATES = sorted((ROOT / "templates").rglob("*.html"))
STATIC = {"static"}
NO_PAGES = {"health"}  # answers monitors, not people
SEGMENT = re.compile(
    r"[a-z0-9]+(-[a-z0-9]+)*(\.(json|csv|txt|zip|pdf|html))?|(<[a-z]+(\([^)]*\))?:[a-z_]+>)+(\.[a-z]+)?"
)
OWN = {"csrf_token", "request_key"}


def views(app):
    return {
        rule.endpoint: app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        if rule.endpoint not in STATIC
    }


def forms(kind=CommandForm):
    for form in kind.__subclasses__():
        yield form
        yield from forms(form)


def test_every_screen_names_its_permission(app):
    assert [name for name, view in views(app).items() if not hasattr(view, "permission")] == []


def test_addresses_are_kebab_case_and_their_parts_typed(app):
    rules = [rule for rule in app.url_map.iter_rules() if rule.endpoint not in STATIC]
    odd = [
        rule.rule for rule in rules if not all(map(SEGMENT.fullmatch, filter(None, rule.rule.strip("/").split("/"))))
    ]
    assert odd == []


def test_a_screen_that_changes_something_is_posted(app):
    unsafe = {"PUT", "PATCH", "DELETE"}
    assert [rule.rule for rule in app.url_map.iter_rules() if unsafe & rule.methods] == []


def test_every_blueprint_has_templates_and_tests_of_its_name(app):
    missing = [name for name in app.blueprints if not (ROOT / "tests" / "web" / f"test_{name}.py").exists()]
    missing += [
        f"templates/{name}" for name in set(app.blueprints) - NO_PAGES if not (ROOT / "templates" / name).is_dir()
    ]
    assert missing == []


def test_every_field_of_a_form_is_an_attribute_of_its_command(app):
    lost = [
        f"{form.__module__}.{form.__name__}.{name}"
        for form in forms()
        if getattr(form, "command", None) is not None
        for name in dir(form)
        if hasattr(getattr(form, name), "_formfield")
        and name not in OWN | form.steering
        and name not in form.command.__dataclass_fields__
    ]
    assert lost == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_import_only_what_they_use(path):
    tree = Environment(autoescape=True).parse(path.read_text())
    imported = {
        name if isinstance(name, str) else name[1] for node in tree.find_all(nodes.FromImport) for name in node.names
    }
    imported |= {node.target for node in tree.find_all(nodes.Import)}
    assert imported <= {node.name for node in tree.find_all(nodes.Name) if node.ctx == "load"}


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT)))
def test_templates_keep_to_the_safe_subset(path):
    text = path.read_text()
    for banned in (
        r"\|\s*safe\b",
        r"xmlattr",
        r"autoescape\s+false",
        r"\sstyle=",
        r"<style",
        r"\son[a-z]+=",
        r"\bhx-on",
        r"js:",
    ):
        assert not re.search(banned, text), banned
    scripts = re.findall(r"<script(?![^>]*\bsrc=)(?![^>]*application/json)", text)
    assert scripts == []
    assert len(text.splitlines()) <= 160
