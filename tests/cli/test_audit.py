"""`audit verify` as a process."""

import json

from sqlalchemy import create_engine, text

from webapp.adapters.engines import engine_options


def damage(command, *statements):
    """Change the database behind the program's back, guards first."""
    engine = create_engine(command.settings.database, **engine_options(command.settings.database, threads=1))
    on = "" if engine.dialect.name == "sqlite" else " ON audit_entries"
    with engine.connect().execution_options(largesse_write=True) as connection:
        for act in ("update", "delete"):
            connection.execute(text(f"DROP TRIGGER guard_audit_entries_{act}{on}"))
        for statement in statements:
            connection.execute(text(statement))
        connection.commit()
    engine.dispose()


def test_what_was_done_to_the_log_is_named(command, tmp_path):
    for number in range(2):
        command("staff", "add", f"p{number}@example.org", "--role", "viewer")
    command("tick")
    told = command("audit", "verify").stdout
    assert "The log holds: 2 entries in the chain, 0 not linked yet." in told
    anchor = tmp_path / "anchor.txt"
    anchor.write_text(f"# noted on Monday\n{told.splitlines()[-1]}\n")
    damage(
        command,
        "delete from audit_entries where position = 2",
        "update audit_entries set actor = 'Nobody' where position = 1",
    )
    found = json.loads(command("audit", "verify", "--anchor", str(anchor), "--json", status=1).stdout)
    assert not found["holds"]
    assert found["problems"][0].startswith("Entry 1 was changed after it was written")
    assert found["problems"][1] == "The anchor names entry 2, but the log ends at 1: its end was cut off."
    anchor.write_text("hello\n")
    assert "anchor.txt: Line 1 is not" in command("audit", "verify", "--anchor", str(anchor), status=1).stderr


def test_the_end_is_added_to_a_file_and_every_line_of_it_is_checked(command, tmp_path):
    kept = tmp_path / "kept.txt"
    assert "Nothing is linked yet" in command("audit", "anchor", str(kept), status=1).stderr
    for number in range(2):
        command("staff", "add", f"p{number}@example.org", "--role", "viewer")
        command("tick")
        command("audit", "anchor", str(kept))
    lines = kept.read_text().splitlines()
    assert [line.split()[:2] for line in lines] == [["largesse-audit", "1"], ["largesse-audit", "2"]]
    assert "The log holds" in command("audit", "verify", "--anchor", str(kept)).stdout
    damage(command, "delete from audit_entries where position = 2")
    assert "its end was cut off" in command("audit", "verify", "--anchor", str(kept), status=1).stdout
    kept.write_text("")
    assert "holds no anchor" in command("audit", "verify", "--anchor", str(kept), status=1).stderr
