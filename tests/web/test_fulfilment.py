"""The screens of fulfilment: the board, one winner, and the four things that can happen."""

import pytest
from sqlalchemy import select

from tests.services.test_fulfilment import drawn, winners
from webapp.domain.fulfilment import Stage
from webapp.domain.rewards import RewardStatus
from webapp.models import Reward, Voucher, Winner


@pytest.fixture
def clerk(signed_in):
    return signed_in("fulfilment")


@pytest.fixture
def reward(session, work, make):
    found = drawn(work, make, codes=5, per_winner=2)
    session.commit()
    return found


def test_the_board_shows_winners_and_reserves_by_stage(clerk, reward):
    page = clerk.get(f"/fulfilment/{reward.name}")
    assert "To contact" in page.text
    assert len(page.soup.select("a[href*='/accept']")) == 3
    assert clerk.get("/fulfilment").texts("tbody th a") == [reward.title]


def test_a_declined_prize_passes_to_the_next_reserve(clerk, reward, work):
    first = winners(work, reward)[0]
    page = clerk.get(f"/fulfilment/winners/{first.id}/leave")
    page = clerk.submit(page, "#form", status=422, reason="")
    assert page.texts("#reason-error") == ["Enter the reason."]
    clerk.submit(page, "#form", reason="has moved abroad")
    heir = work.session.scalars(select(Winner).where(Winner.passed_from_id == first.id)).one()
    assert (heir.rank, heir.stage) == (4, Stage.TO_CONTACT)
    assert "has moved abroad" in clerk.get(f"/fulfilment/{reward.name}").text


def test_accepting_allocates_once_however_often_the_form_is_sent(clerk, reward, work):
    first = winners(work, reward)[0]
    page = clerk.get(f"/fulfilment/winners/{first.id}/accept")
    for _ in range(2):
        clerk.submit(page, "#form")
    fresh = clerk.get(f"/fulfilment/winners/{first.id}/accept")
    clerk.submit(fresh, "#form")
    assert len(work.session.scalars(select(Voucher).where(Voucher.winner_id == first.id)).all()) == 2


def test_k89_a_short_pool_is_said_on_the_page(clerk, reward, work):
    first, second, third = winners(work, reward)
    for winner in (first, second):
        clerk.submit(clerk.get(f"/fulfilment/winners/{winner.id}/accept"), "#form")
    page = clerk.submit(clerk.get(f"/fulfilment/winners/{third.id}/accept"), "#form", status=422)
    assert "short" in page.text


def test_the_whole_way_shows_in_the_winners_history(clerk, reward, work):
    for winner in winners(work, reward)[:2]:
        clerk.submit(clerk.get(f"/fulfilment/winners/{winner.id}/notify"), "#form", note="phoned")
        clerk.submit(clerk.get(f"/fulfilment/winners/{winner.id}/accept"), "#form")
        clerk.submit(clerk.get(f"/fulfilment/winners/{winner.id}/hand-over"), "#form", note="posted")
        page = clerk.get(f"/fulfilment/winners/{winner.id}")
        assert "phoned" in page.text
        assert "posted" in page.text


def test_the_reward_is_finished_when_every_prize_is_handed_over(clerk, session, work, make):
    reward = drawn(work, make)
    session.commit()
    for winner in winners(work, reward):
        clerk.submit(clerk.get(f"/fulfilment/winners/{winner.id}/accept"), "#form")
        clerk.submit(clerk.get(f"/fulfilment/winners/{winner.id}/hand-over"), "#form", note="posted")
    clerk.submit(clerk.get(f"/fulfilment/{reward.name}"), f"form[action='/fulfilment/{reward.name}/finish']")
    assert session.get(Reward, reward.id, populate_existing=True).status is RewardStatus.FULFILLED


def test_disqualifying_is_the_draw_supervisors(clerk, signed_in, reward, work):
    first = winners(work, reward)[0]
    clerk.get(f"/fulfilment/winners/{first.id}/disqualify", status=403)
    supervisor = signed_in("draw supervisor")
    supervisor.get(f"/fulfilment/winners/{first.id}/accept", status=403)
    supervisor.submit(supervisor.get(f"/fulfilment/winners/{first.id}/disqualify"), "#form", reason="works for us")
    assert work.session.get(Winner, first.id, populate_existing=True).stage is Stage.DISQUALIFIED


def test_a_clerk_of_another_site_finds_nothing(signed_in, reward, work, make):
    clerk = signed_in("fulfilment", site_id=make.site().id)
    first = winners(work, reward)[0]
    clerk.get(f"/fulfilment/{reward.name}", status=404)
    for path in ("", "/accept", "/leave", "/notify", "/hand-over"):
        clerk.get(f"/fulfilment/winners/{first.id}{path}", status=404)


def test_before_the_draw_the_board_says_so(clerk, make):
    assert "Not drawn yet" in clerk.get(f"/fulfilment/{make.reward().name}").text


def test_without_any_winner_the_list_says_what_comes(clerk):
    assert "No winners yet" in clerk.get("/fulfilment").text
