"""`init`, `staff`, `permissions` and `routes`, as processes."""

import json
import re
import stat

LINK = re.compile(r"http://localhost:8400/invitations/[\w-]{43}")
WORDS = "four plain words here\n"


def test_init_prepares_everything_and_prints_a_link_until_one_was_used(command, fresh_database, tmp_path):
    instance = tmp_path / "new" / "instance"

    def run(*arguments, **more):
        return command(*arguments, database_url=fresh_database, instance=instance, secret_key="", **more)

    told = run("init", "--email", "Ada@Example.org").stdout
    first = LINK.findall(told)
    assert len(first) == 1
    assert "First administrator: ada@example.org" in told
    key = instance / "secret_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700
    assert len(key.read_text().strip()) == 64
    told = run("init", "--email", "ada@example.org").stdout
    assert LINK.findall(told) != first
    assert "Secret key" not in told
    people = json.loads(run("staff", "list", "--json").stdout)
    assert [(one["email"], one["roles"], one["state"]) for one in people] == [
        ("ada@example.org", "administrator everywhere", "invited")  # no account has a password nobody chose
    ]
    run("staff", "add", "ada@example.org", "--role", "administrator", "--password-stdin", stdin=WORDS)
    assert "There is an administrator already." in run("init", status=1).stderr


def test_somebody_is_added_listed_and_disabled(command):
    command("staff", "add", "Ed@Example.org", "--role", "editor", "--role", "viewer", "--password-stdin", stdin=WORDS)
    assert LINK.fullmatch(command("staff", "add", "new@example.org", "--role", "draw-supervisor").stdout.strip())
    assert "signed out everywhere" in command("staff", "disable", "ED@example.org").stdout
    listed = command("staff", "list").stdout
    assert re.search(r"^ed@example\.org +disabled +editor everywhere, viewer everywhere$", listed, re.MULTILINE)
    assert re.search(r"^new@example\.org +invited +draw supervisor everywhere$", listed, re.MULTILINE)


def test_a_refusal_is_one_plain_sentence(command):
    for arguments, says in (
        (["add", "x@example.org", "--role", "king"], "«king» is no role. Roles: viewer, till, editor"),
        (["add", "x@example.org", "--role", "editor", "--password-stdin"], "use 12 to 128"),
        (
            ["add", "x@example.org", "--role", "editor", "--organisation", "NO"],
            "No organisation in use has the id «NO».",
        ),
        (["disable", "nobody@example.org"], "nobody@example.org has no account."),
    ):
        told = command("staff", *arguments, stdin="short\n", status=1).stderr
        assert told.startswith("Error: ")
        assert says in told


def test_permissions_and_routes_are_printed(command):
    table = json.loads(command("permissions", "--json").stdout)
    assert table["permissions"]["draws.run"] == ["draw supervisor"]
    assert ["draw supervisor", "editor"] in table["conflicts"]
    assert "benefits.redeem" in table["within_organisations"]
    assert "benefits.view" not in table["within_organisations"]
    routes = json.loads(command("routes", "--json").stdout)
    found = {(row["address"], row["permission"]) for row in routes}
    assert {("/staff", "staff.manage"), ("/sign-in", "public"), ("/today", "signed-in")} <= found
    assert all(row["methods"] for row in routes)
