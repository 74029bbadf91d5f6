"""Section 13 of benefits.md, row by row: each has a test that bears its name.

A test is named after a row by its function (`test_13_2_bulk_undo…`), by the id of a parameter («13.2 bulk undo…»),
or, where it proves several rows, by its docstring («13.2 bulk undo», «13.2 provenance»).
"""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent

ROWS = {
    "13.1": (
        "minimal create",
        "id",
        "name",
        "handle unique",
        "handle format",
        "handle immutable",
        "lookup by handle",
        "period",
        "period_type days",
        "period_type weeks",
        "period_type months",
        "period_type years",
        "absolute_date",
        "absolute_week",
        "absolute_month",
        "absolute needs date",
        "end_at caps",
        "end_at closes",
        "description",
        "internal_notes",
        "short_description",
        "long_description",
        "terms_conditions",
        "earn_instructions",
        "redeem_instructions_store/online",
        "redeem_code_pos/online",
        "icon / image_url",
        "max_redemptions n",
        "max_redemptions null",
        "max_redemptions snapshot",
        "max_global n",
        "max_global null",
        "lower cap below used",
        "total_global_redemptions",
        "total_global_created",
        "total read-only",
        "is_extendable false",
        "is_assignable false",
        "is_reassignable false",
        "is_published false",
        "is_archived",
        "archive hides",
        "tags",
        "is_claimable false",
        "is_reclaimable false",
        "is_reclaimable true",
        "claim window start",
        "claim window end",
        "window open ended",
        "window validation",
        "claim_condition null",
        "claim_condition stored",
        "claim_condition bad op",
        "view_condition",
        "allow_user_redeem",
        "value",
        "type",
        "campaign",
        "external_id",
        "meta",
        "force_allocation",
        "total_allocations(_remaining)",
        "created_at/updated_at",
        "optimistic lock",
        "clone",
        "clone needs handle",
        "delete definition",
    ),
    "13.2": (
        "manual issue",
        "preview",
        "timezone required",
        "timezone invalid",
        "issued_at future",
        "issued_at past",
        "expires_at date only",
        "expires_at before issued_at",
        "expires null",
        "unknown profile / definition",
        "double click",
        "batch",
        "CSV dry run",
        "conditional bulk",
        "exclude existing",
        "condition on issue date",
        "bulk resumable",
        "bulk undo",
        "provenance",
        "term snapshot",
    ),
    "13.3": (
        "claim success",
        "claim order of checks",
        "claim race",
        "reclaim race",
        "staff-issued does not block",
        "void frees claim",
        "merge keeps one",
        "reclaim_every month",
        "claim-redeem",
        "claimable list",
        "sold out",
    ),
    "13.4": (
        "strict equality",
        "type strict",
        "nested",
        "or / not / in",
        "missing field",
        "missing in `in`",
        "between",
        "constants left",
        "custom attribute",
        "date compare",
        "limits",
        "no code access",
        "live count",
        "explain",
        "speed",
    ),
    "13.5": (
        "redeem",
        "count",
        "count too big",
        "count invalid",
        "expired",
        "void",
        "wrong owner",
        "global race",
        "idempotent redeem",
        "by code",
        "return partial",
        "return too many",
        "return after expiry",
        "reversal inside",
        "reversal outside",
        "reversal twice",
        "history",
        "reconcile",
    ),
    "13.6": (
        "extend days",
        "extend date",
        "both / neither",
        "backwards",
        "once",
        "extend expired",
        "extend redeemed",
        "bulk extend",
        "edit expiry",
        "reassign",
        "reassign used up",
        "reassign same",
        "reassign non-reclaimable",
        "void",
        "void undo",
        "expire",
        "expired event",
    ),
    "13.7": (
        "upload",
        "duplicate across upload",
        "take",
        "order",
        "not yet valid",
        "expired code",
        "cap expiry",
        "value",
        "unique forever",
        "force false fallback",
        "reserved",
        "counts",
        "no reuse",
        "print",
        "export safety",
    ),
    "13.8": (
        "none",
        "target required",
        "hour range",
        "issue immediate",
        "issue past due",
        "issue +1 day",
        "remind",
        "extend + schedule offset",
        "too short",
        "after expiry",
        "DST gap",
        "DST fold",
        "timezone per benefit",
        "never expires",
        "redeemed cancels",
        "partly redeemed keeps",
        "extension replans",
        "extend notice suppressed",
        "opt-out",
        "imported flags",
        "payload",
        "template error",
        "target condition",
        "signature",
        "SSRF",
        "retry",
        "dead letter",
        "exactly once",
        "crash restart",
        "catch-up",
        "edit definition",
        "resend",
    ),
    "13.9": (
        "filter ops",
        "filter nullable",
        "unknown filter",
        "sort",
        "paging",
        "size cap",
        "saved filter",
        "bulk select",
        "CSV export",
        "errors",
        "404 vs 403",
        "roles",
        "auditor",
        "token scope",
        "token survives",
        "audit",
        "CSRF",
        "merge",
        "webhook events",
        "clock",
    ),
}

# What cannot be tested here, and the reason.
_NO_API = "there is no API yet, so there is no token"
LEFT_OUT: dict[str, str] = {
    "13.5 wrong owner": "no address of the console names a person and a benefit; an API would",
    "13.9 token scope": _NO_API,
    "13.9 token survives": _NO_API,
}


def slug(words):
    return re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")


SLUGS = {slug(f"{section} {item}"): f"{section} {item}" for section, items in ROWS.items() for item in items}


def row_of(words):
    """The row that a name begins with; of «period» and «period_type days» the longer one."""
    said = slug(words)
    found = [known for known in SLUGS if f"{said}_".startswith(f"{known}_")]
    return SLUGS[max(found, key=len)] if found else None


def names_in(source):
    """What the tests of a module say of the row they prove: names of functions, ids of parameters, docstrings."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            yield node.name.removeprefix("test_")
            yield from re.findall(r"«(13\.\d [^»]+)»", ast.get_docstring(node) or "")
        if isinstance(node, ast.keyword) and node.arg in {"id", "ids"}:
            yield from (part.value for part in ast.walk(node.value) if isinstance(part, ast.Constant))


@cache
def names():
    found = (name for path in sorted(TESTS.rglob("test_*.py")) for name in names_in(path.read_text()))
    return [name for name in found if isinstance(name, str)]


@cache
def covered():
    return {row_of(name) for name in names()}


@pytest.mark.parametrize("row", [row for row in SLUGS.values() if row not in LEFT_OUT])
def test_a_row_has_a_test(row):
    assert row in covered(), f"no test is named after «{row}»"


def test_what_is_left_out_is_a_row_without_a_test():
    assert [row for row in LEFT_OUT if row not in SLUGS.values() or row in covered()] == []


def test_no_test_is_named_after_a_row_that_is_not_there():
    sections = tuple(f"{slug(section)}_" for section in ROWS)
    assert [name for name in names() if slug(name).startswith(sections) and row_of(name) is None] == []


def test_a_name_is_of_one_row_only():
    assert row_of("13_1_period_type_days_are_local") == "13.1 period_type days"
    assert row_of("13.1 is_archived, existing ones redeem") == "13.1 is_archived"
    assert row_of("13_1_names") is None


def test_rows_are_found_in_names_ids_and_docstrings():
    source = 'def test_13_3_sold_out():\n    "«13.3 claim race», and\n    «13.3 void frees claim»"\n\nparam(id="13.4 nested")'
    source = source.replace('"«', '"""«').replace('»"', '»"""')
    assert list(names_in(source)) == ["13_3_sold_out", "13.3 claim race", "13.3 void frees claim", "13.4 nested"]
