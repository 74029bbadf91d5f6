"""The settings page and the notice of small-team mode."""


def test_small_team_mode_is_told_on_every_page(console):
    page = console.get("/settings")
    assert "Small-team mode is on" not in page.text
    console.submit(page, is_small_team="y")
    for address in ("/today", "/settings", "/sites"):
        assert "Small-team mode is on" in console.get(address).texts(".banner")[0]
    assert "Changed the settings: small-team mode on" in console.get("/settings").texts(".timeline__text p")


def test_it_cannot_be_ended_while_somebody_holds_roles_that_conflict(console):
    console.submit(console.get("/settings"), is_small_team="y")
    fields = console.get("/settings").fields()
    fields.pop("is_small_team")
    page = console.post("/settings", fields, status=422)
    assert "Ann Able holds roles that conflict" in page.texts("#is_small_team-error")[0]


def test_a_page_that_was_open_too_long_is_refused(console):
    old = console.get("/settings").fields()
    console.submit(console.get("/settings"), is_small_team="y")
    page = console.post("/settings", old | {"is_small_team": "y"}, status=409)
    assert "Somebody changed the settings" in page.text


def test_the_facts_of_the_installation_are_shown(console):
    text = console.get("/settings").text
    for fact in ("Europe/London", "LARGESSE_TIMEZONE", "http://localhost:8400", "largesse@localhost"):
        assert fact in text
