"""The walk a new user takes, in a real browser: from an entrants' file to checked winners and printed vouchers."""

from __future__ import annotations

import gzip
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from tests.adapters.pages import readable
from tests.factories import Factories
from tests.support.browser import SIZES, axe, shot
from webapp.domain.voucher_codes import grouped, normalise
from webapp.models import AccountSettings, Draw, DrawRound, Entry, Voucher, Winner
from webapp.services import passwords

PHRASE = "a-long-enough-sentence-42"
ENTRANTS = Path(__file__).parents[1] / "data" / "entrants.csv.gz"
LONG = 120_000  # milliseconds for 50,000 rows on a busy machine
NAME = "ete-a-noumea"
VALUE = "63454660390103169462"


@pytest.fixture
def team(live_server):
    """An editor, a draw supervisor and a clerk who can sign in."""
    with live_server.session() as session:
        make = Factories(session)
        secret = passwords.hashed(PHRASE)
        make.add(AccountSettings(id=1, is_second_factor_optional=True))
        for role in ("editor", "draw supervisor", "fulfilment"):
            make.staff(role, email=f"{role.split()[0]}@example.org", name=role.title(), password_hash=secret)
        session.commit()
    return live_server


def sign_in(page: Page, server, who: str) -> Page:
    page.goto(f"{server.url}/sign-in")
    page.get_by_label("E-mail").fill(f"{who}@example.org")
    page.get_by_label("Password").fill(PHRASE)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url("**/today")
    return page


def press(page: Page, name: str) -> None:
    page.get_by_role("main").get_by_role("button", name=name).click()


def go_to(page: Page, name: str) -> None:
    """Follow a link, and wait until its page is there: the old one must not be looked at, nor one that is half read."""
    link = page.get_by_role("main").get_by_role("link", name=name).first
    address = str(link.get_attribute("href"))
    link.click()
    page.wait_for_url(lambda url: url.endswith(address), timeout=LONG)


def looked_at(page: Page, name: str) -> None:
    """Nothing inaccessible, nothing wider than the screen, in both sizes; and a picture to look at."""
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{page.url} is {wide} px too wide at {width} px"
        shot(page, f"{name}-{size}")
    page.set_viewport_size(dict(zip(("width", "height"), SIZES["desk"], strict=True)))
    axe(page)


def test_the_walk_from_a_file_to_checked_winners_and_printed_vouchers(team, new_tab, tmp_path):
    editor = sign_in(new_tab(), team, "editor")
    create_a_site(editor, team)
    create_vouchers(editor, team)
    create_a_reward(editor, team)
    upload_the_entrants(editor, team, tmp_path)
    show_the_entries(editor, team)
    fingerprint = close_review_and_seal(editor, team)
    supervisor = sign_in(new_tab(), team, "draw")
    draw_once(editor, supervisor, team)
    clerk = sign_in(new_tab(), team, "fulfilment")
    work_the_winners(clerk, team)
    print_the_vouchers(clerk, team, tmp_path)
    check_the_evidence(supervisor, fingerprint, tmp_path)
    read_the_log(editor, team)


def create_a_site(page: Page, server) -> None:
    page.goto(f"{server.url}/sites/new")
    page.locator("#title").fill("Corner shops")
    page.get_by_label("Organiser").fill("Corner Shops Ltd")
    page.locator("#staff_domains").fill("staff.largesse.example")
    looked_at(page, "site-new")
    press(page, "Create site")
    page.wait_for_url("**/sites/corner-shops")


def create_vouchers(page: Page, server) -> None:
    page.goto(f"{server.url}/voucher-types/new")
    page.locator("#code").fill("GIFT-25")
    page.locator("#title").fill("Gift voucher")
    page.locator("#value_minor").fill("25")
    page.locator("#currency").select_option("GBP")
    page.locator("#valid_for_days").fill("90")
    looked_at(page, "voucher-type-new")
    press(page, "Create voucher type")
    page.wait_for_url(re.compile("/voucher-types/[0-9]+$"))
    page.locator("#count").fill("20")
    press(page, "Generate codes")
    expect(page.get_by_role("main")).to_contain_text("20 codes")
    looked_at(page, "voucher-type")


def create_a_reward(page: Page, server) -> None:
    page.goto(f"{server.url}/rewards/new")
    page.locator("#title").fill("Été à Nouméa")
    page.locator("#prizes-0-title").fill("Scooter")
    page.locator("#prizes-1-title").fill("Gift basket")
    page.locator("#prizes-1-quantity").fill("2")
    page.locator("#reserve_count").fill("3")
    page.locator("#voucher_type_id").select_option(index=1)
    page.get_by_label("Least time between seal and draw").fill("0")
    expect(page.locator("#summary")).to_contain_text("3 to win: 1 × Scooter, then 2 × Gift basket.")
    expect(page.locator("#summary")).to_contain_text("Recorded")
    looked_at(page, "reward-new")
    press(page, "Create reward")
    page.wait_for_url(f"**/rewards/{NAME}")
    looked_at(page, "reward-draft")
    go_to(page, "Open for entries")
    press(page, "Open for entries")
    expect(page.get_by_role("main")).to_contain_text("Upload entrants")


def upload_the_entrants(page: Page, server, folder: Path) -> None:
    path = folder / "entrants.csv"
    path.write_bytes(gzip.decompress(ENTRANTS.read_bytes()))
    go_to(page, "Upload entrants")
    page.locator("#file").set_input_files(path)
    looked_at(page, "upload")
    press(page, "Upload file")
    expect(page.get_by_role("button", name="Check file")).to_be_visible(timeout=LONG)
    looked_at(page, "import-columns")
    press(page, "Check file")
    expect(page.get_by_role("progressbar").first).to_be_visible(timeout=LONG)
    expect(page.get_by_role("button", name=re.compile("^Import [0-9,]+ entries$"))).to_be_visible(timeout=LONG)
    looked_at(page, "import-checked")
    with page.expect_download() as download:
        page.get_by_role("main").get_by_role("link", name="Download rejects file").first.click()
    rejects = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert rejects[0].endswith("Line,Column,Reason")
    page.get_by_label("Import the good rows").check()
    page.get_by_role("button", name=re.compile("^Import ")).click()
    expect(page.locator("progress").or_(page.get_by_role("link", name="Show the entries")).first).to_be_visible(
        timeout=LONG
    )
    address = page.url
    page.goto("about:blank")  # nobody polls a server that is gone
    server.kill()  # in the middle of it
    server.start()
    page.goto(address)
    expect(page.get_by_role("link", name="Show the entries")).to_be_visible(timeout=LONG)
    looked_at(page, "import-done")


def show_the_entries(page: Page, server) -> None:
    go_to(page, "Show the entries")
    looked_at(page, "entries")
    with server.session() as session:
        numbers = session.execute(select(func.count(), func.min(Entry.number), func.max(Entry.number))).one()
        assert numbers[1:] == (1, numbers[0])


def close_review_and_seal(page: Page, server) -> str:
    page.goto(f"{server.url}/rewards/{NAME}/close")
    press(page, "Close entries")
    expect(page.get_by_role("main")).to_contain_text("staff.largesse.example", timeout=LONG)
    looked_at(page, "draw-review")
    press(page, "Confirm the exclusions")
    go_to(page, "Seal the draw")
    looked_at(page, "draw-seal")
    press(page, "Seal the draw")
    expect(page.locator("#seal-fingerprint")).to_be_visible(timeout=LONG)
    looked_at(page, "draw-sealed")
    digits = page.locator("#seal-fingerprint").inner_text().replace(" ", "").replace("\n", "")
    with server.session() as session:
        draw = session.scalars(select(Draw)).one()
        assert digits == draw.seal_sha256
        assert draw.entries_root[:4] in page.locator("#entries-root").inner_text()
    page.goto(f"{server.url}/rewards/{NAME}/draw/sheet")
    assert page.locator("#seal-fingerprint").inner_text().replace(" ", "").replace("\n", "") == digits
    page.emulate_media(media="print")
    shot(page, "seal-sheet")
    page.emulate_media(media="screen")
    return digits


def draw_once(editor: Page, supervisor: Page, server) -> None:
    address = f"{server.url}/rewards/{NAME}/draw"
    assert editor.goto(f"{address}/run").status == 403
    second = supervisor.context.new_page()
    for page in (supervisor, second):
        page.goto(f"{address}/run")
        page.get_by_label("Value", exact=True).fill("123456789")
        page.get_by_label("Value again").fill("123456789")
        page.get_by_label("Who supplied it").fill("Margit Havel")
    press(supervisor, "Draw the winners")
    expect(supervisor.locator("#value-error")).to_contain_text("33 bits")
    expect(supervisor.get_by_label("Who supplied it")).to_have_value("Margit Havel")
    looked_at(supervisor, "draw-run-refused")
    for page in (supervisor, second):
        page.get_by_label("Value", exact=True).fill(VALUE)
        page.get_by_label("Value again").fill(VALUE)
    press(supervisor, "Draw the winners")
    press(second, "Draw the winners")
    for page in (supervisor, second):
        page.wait_for_url("**/draw/result", timeout=LONG)
    told = supervisor.get_by_role("main").inner_text()
    second.reload()
    assert second.get_by_role("main").inner_text().split("Drawn ")[1] == told.split("Drawn ")[1]
    looked_at(supervisor, "draw-result")
    with server.session() as session:
        assert session.scalar(select(func.count()).select_from(DrawRound)) == 1
        assert session.scalar(select(func.count()).select_from(Winner)) == 6


def work_the_winners(page: Page, server) -> None:
    page.goto(f"{server.url}/fulfilment/{NAME}")
    looked_at(page, "board")
    page.get_by_role("link", name="Pass on").first.click()
    page.get_by_label("Reason").fill("has moved abroad")
    looked_at(page, "winner-leave")
    press(page, "Pass the prize on")
    expect(page.get_by_role("main")).to_contain_text("has moved abroad")
    for _ in range(3):
        page.get_by_role("link", name="Accepts").first.click()
        press(page, "Record the acceptance")
        expect(page.get_by_role("main")).to_contain_text("1 code allocated")
    looked_at(page, "board-accepted")
    with server.session() as session:
        assert session.scalar(select(func.count()).where(Voucher.winner_id.is_not(None))) == 3
        assert session.scalars(select(Winner.rank).where(Winner.passed_from_id.is_not(None))).all() == [4]


def print_the_vouchers(page: Page, server, folder: Path) -> None:
    page.goto(f"{server.url}/vouchers/print?reward={NAME}")
    looked_at(page, "print")
    press(page, "Make the sheets")
    download_link = page.get_by_role("main").get_by_role("link", name=re.compile("^Download"))
    expect(download_link).to_be_visible(timeout=LONG)
    looked_at(page, "printed")
    with page.expect_download() as download:
        download_link.click()
    path = folder / "vouchers.pdf"
    download.value.save_as(path)
    read = readable(path.read_bytes())
    with server.session() as session:
        codes = session.scalars(select(Voucher.code).where(Voucher.winner_id.is_not(None))).all()
    assert sorted(map(normalise, read)) == sorted(codes)
    assert all(grouped(code) for code in codes)


def check_the_evidence(page: Page, fingerprint: str, folder: Path) -> None:
    page.goto(page.url.replace("/result", ""))
    looked_at(page, "draw-drawn")
    with page.expect_download() as download:
        press(page, "Download evidence")
    path = folder / "evidence.zip"
    download.value.save_as(path)
    verify = [sys.executable, "-m", "webapp", "draw", "verify", str(path)]
    answer = subprocess.run(verify, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert fingerprint in answer.stdout
    unpacked = folder / "evidence"
    zipfile.ZipFile(path).extractall(unpacked)
    plain = subprocess.run(
        [sys.executable, "-I", "verify_draw.py"], cwd=unpacked, capture_output=True, text=True, check=False
    )
    assert plain.returncode == 0, plain.stdout
    for name in ("SHA256SUMS", "log.jsonl", "entries.csv"):
        refuse_one_changed_byte(unpacked / name)


def refuse_one_changed_byte(path: Path) -> None:
    whole = path.read_bytes()
    path.write_bytes(whole[:-2] + bytes([whole[-2] ^ 1]) + whole[-1:])
    answer = subprocess.run(
        [sys.executable, "-I", "verify_draw.py"], cwd=path.parent, capture_output=True, text=True, check=False
    )
    path.write_bytes(whole)
    assert answer.returncode == 1
    assert path.name in "\n".join(line for line in answer.stdout.splitlines() if line.startswith("FAIL"))


def read_the_log(page: Page, server) -> None:
    page.goto(f"{server.url}/audit")
    looked_at(page, "audit")
    told = page.get_by_role("main").inner_text().casefold()
    for words in (
        "created the prize draw «Été à Nouméa» as ete-a-noumea",
        "sealed the draw of «Été à Nouméa»",
        f"with the value {VALUE} supplied by Margit Havel",
        "declines",
        "passed",
        "allocated 1 code of",
        "printed 3 vouchers",
        "downloaded the evidence",
    ):
        assert words.casefold() in told, words
