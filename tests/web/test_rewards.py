"""The screens of rewards: a draw from the form to entries."""

from sqlalchemy import select

from webapp.domain.rewards import RewardStatus
from webapp.models import Draw, Reward


def typed(site_id, **changes):
    return {
        "title": "Win a Ford Focus – May",
        "site_id": str(site_id),
        "prizes-0-title": "Car",
        "prizes-0-quantity": "1",
        "prizes-0-value_minor": "25000.50",
        "prizes-2-title": "Weekend",
        "prizes-2-quantity": "2",
        "vouchers_per_winner": "1",
        "min_wait_minutes": "10",
    } | changes


def create(console, make, **changes):
    site = make.site()
    page = console.post("/rewards/new", typed(site.id, **changes))
    return page.response.headers["Location"]


def test_a_draw_is_created_with_its_prizes_in_order(console, make, session):
    location = create(console, make, starts_at="2026-03-01", ends_at="2026-03-31")
    assert location == "/rewards/win-a-ford-focus-may"
    page = console.get(location)
    assert page.texts("#prizes tbody th") == ["Car car", "Weekend weekend"]
    assert "31 Mar 2026" in page.text
    assert session.scalars(select(Reward.reserve_count)).one() == 3


def test_k01_a_title_of_blanks_is_refused_on_its_field(console, make, session):
    page = console.post("/rewards/new", typed(make.site().id, title="   "), status=422)
    assert page.texts("#title-error") == ["Enter the title."]
    assert session.scalars(select(Reward)).all() == []


def test_k36_a_year_of_two_digits_is_refused_and_what_was_typed_stays(console, make):
    page = console.post("/rewards/new", typed(make.site().id, starts_at="01/11/18", notes="Ask Jo"), status=422)
    assert "year of two digits" in page.texts("#starts_at-error")[0]
    assert page.one("#notes").get_text().strip() == "Ask Jo"
    assert page.one("#prizes-1-title")["value"] == "Weekend"


def test_k28_a_last_day_before_the_first_is_refused_on_the_last_day(console, make):
    page = console.post("/rewards/new", typed(make.site().id, starts_at="2026-03-02", ends_at="2026-03-01"), status=422)
    assert "lies before the first day" in page.texts("#ends_at-error")[0]


def test_a_prize_row_without_a_title_is_refused_in_its_row(console, make):
    page = console.post("/rewards/new", typed(make.site().id, **{"prizes-1-quantity": "4"}), status=422)
    assert page.texts("#prizes-1-title-error") == ["Enter what this prize is, or empty the row."]


def test_another_prize_row_is_added_and_nothing_is_saved_or_lost(console, make, session):
    page = console.post("/rewards/new", typed(make.site().id, another="yes"), status=200)
    assert page.one("#prizes-3-title")["value"] == ""
    assert page.one("#title")["value"] == "Win a Ford Focus – May"
    assert session.scalars(select(Reward)).all() == []


def test_the_summary_tells_the_form_in_words(console, make):
    site = make.site(timezone="Pacific/Auckland")
    page = console.post("/rewards/preview", typed(site.id, ends_at="2026-03-31", one_per_recipient="y"), status=200)
    assert "3 to win: 1 × Car, then 2 × Weekend." in page.texts("main li")
    assert "until Tuesday 31 March 2026, 23:59:59 Pacific/Auckland" in page.text


def test_without_a_site_the_page_says_what_to_do(console):
    page = console.get("/rewards/new")
    assert page.one("main a.btn")["href"] == "/sites/new"


def test_a_draft_is_changed_and_the_conflict_of_two_editors_keeps_what_was_typed(console, make):
    location = create(console, make)
    first, second = console.get(f"{location}/edit"), console.get(f"{location}/edit")
    console.submit(first, "#form", title="First")
    page = console.submit(second, "#form", status=409, title="Second")
    assert "Somebody else saved this reward" in page.text
    assert page.one("#title")["value"] == "Second"


def test_opening_and_closing_go_through_a_page_that_says_what_follows(console, make, session):
    location = create(console, make)
    page = console.get(f"{location}/open")
    assert "prizes are fixed" in page.text
    console.submit(page, "#form")
    assert session.scalars(select(Reward.status)).one() is RewardStatus.ACTIVE
    assert console.get(location).texts(".state-strip [aria-current]") or "Upload entrants" in console.get(location).text
    page = console.submit(console.get(f"{location}/close"), "#form")
    assert page.response.headers["Location"] == f"{location}/draw"
    assert session.scalars(select(Draw.state)).one() == "closed"


def test_a_draft_without_prizes_cannot_be_opened_and_the_button_says_why(console, make):
    location = create(
        console,
        make,
        **{
            "prizes-0-title": "",
            "prizes-0-quantity": "",
            "prizes-0-value_minor": "",
            "prizes-2-title": "",
            "prizes-2-quantity": "",
        },
    )
    assert "Add at least one prize" in console.get(location).text
    page = console.submit(console.get(f"{location}/open"), "#form", status=422)
    assert "Add at least one prize" in page.text


def test_a_form_sent_twice_makes_one_reward(console, make, session):
    site = make.site()
    fields = console.get("/rewards/new").fields("#form") | typed(site.id)
    first, second = console.post("/rewards/new", fields), console.post("/rewards/new", fields)
    assert first.response.headers["Location"] == second.response.headers["Location"]
    assert len(session.scalars(select(Reward)).all()) == 1


def test_p5_the_same_key_with_other_content_is_refused(console, make, session):
    site = make.site()
    fields = console.get("/rewards/new").fields("#form") | typed(site.id)
    console.post("/rewards/new", fields)
    page = console.post("/rewards/new", fields | {"title": "Other"}, status=409)
    assert "already sent once with other content" in page.text
    assert session.scalars(select(Reward.title)).all() == ["Win a Ford Focus – May"]


def test_the_list_shows_states_and_is_searched(console, make):
    site = make.site()
    make.reward(site_id=site.id, title="Spring tent")
    make.reward(site_id=site.id, title="Autumn ferry", status=RewardStatus.DRAFT)
    assert len(console.get("/rewards").texts("#results tbody tr")) == 2
    assert console.part("/rewards?q=tent").texts("tbody th a") == ["Spring tent"]
    assert console.get("/rewards?status=draft").texts("tbody th a") == ["Autumn ferry"]
    assert "clear" in console.get("/rewards?q=nothing").text.lower()


def test_the_list_pages_by_key(console, make):
    site = make.site()
    for _ in range(60):
        make.reward(site_id=site.id)
    page = console.get("/rewards")
    assert len(page.texts("#results tbody tr")) == 50
    older = next(link["href"] for link in page.soup.select("#results a[href*=before]"))
    assert len(console.get(older).texts("#results tbody tr")) == 10


def test_k150_a_reward_of_another_site_is_not_found(signed_in, make):
    here, there = make.site(), make.site()
    reward = make.reward(site_id=there.id)
    editor = signed_in("editor", site_id=here.id)
    for path in ("", "/edit", "/open", "/close", "/draw"):
        editor.get(f"/rewards/{reward.name}{path}", status=404)
    assert editor.get("/rewards").texts("tbody th a") == []


def test_a_viewer_reads_and_does_not_write(signed_in, make):
    reward = make.reward()
    viewer = signed_in("viewer")
    assert "Close entries" not in viewer.get(f"/rewards/{reward.name}").text
    viewer.get("/rewards/new", status=403)
    viewer.post(f"/rewards/{reward.name}/close", status=403)
