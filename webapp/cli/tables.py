"""`permissions` and `routes`: who may do what, and which address needs what, for machines and auditors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import click

from webapp.cli import runtime
from webapp.domain.permissions import CONFLICTS, ROLES, WITHIN_ORGANISATIONS, Permission, Role


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print an object.")
def permissions(*, as_json: bool) -> None:
    """Print every permission with the roles that carry it, and the roles nobody may hold together.

    A role within an organisation carries those that are said to hold there, and no other.
    """
    table = {str(permission): [str(role) for role in Role if permission in ROLES[role]] for permission in Permission}
    if as_json:
        runtime.echo_json(
            {
                "permissions": table,
                "within_organisations": sorted(map(str, WITHIN_ORGANISATIONS)),
                "conflicts": [sorted(map(str, pair)) for pair in CONFLICTS],
            }
        )
        return
    for permission, roles in table.items():
        also = "; within an organisation too" if Permission(permission) in WITHIN_ORGANISATIONS else ""
        click.echo(f"{permission:<20} {', '.join(roles) or _anyone(permission)}{also}")
    for pair in CONFLICTS:
        click.echo(f"Not on one person: {' and '.join(sorted(pair))}.")


def _anyone(permission: str) -> str:
    return {"public": "everybody", "signed-in": "everybody signed in"}.get(permission, "nobody")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
def routes(*, as_json: bool) -> None:
    """Print every address with its methods, the screen behind it, and the permission it needs."""
    from webapp.app import create_app

    app = create_app(replace(runtime.settings(), secret_key=runtime.settings().secret_key or "not used here"))
    table: list[dict[str, Any]] = [
        {
            "address": rule.rule,
            "methods": sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}),
            "screen": rule.endpoint,
            "permission": str(getattr(app.view_functions[rule.endpoint], "permission", "public")),
            "within_organisations": bool(getattr(app.view_functions[rule.endpoint], "within", False)),
        }
        for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule)
    ]
    if as_json:
        runtime.echo_json(table)
        return
    for row in table:
        click.echo(f"{row['address']:<50} {','.join(row['methods']):<9} {row['permission']:<18} {row['screen']}")


commands: list[click.Command] = [permissions, routes]
