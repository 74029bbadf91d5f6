"""A real Chromium: pages that must run without one complaint, pictures of them, and the accessibility rules."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright._impl._driver import compute_driver_executable
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright

NAMES = (
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
    "microsoft-edge",
    "msedge",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
QUIET = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PATIENCE = 90_000  # milliseconds: only something that never comes may fail a test, not a machine that stands still
SIZES = {"phone": (390, 844), "desk": (1280, 800), "wide": (1920, 1080)}


def find_browser() -> str | None:
    """$CHROME, or the first Chromium, Chrome or Edge on this machine."""
    return os.environ.get("CHROME") or next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """The browser; skips, with the reason, where there is none."""
    executable = find_browser()
    if executable is None:
        pytest.skip("no Chromium, Chrome or Edge here: install one (on Debian: apt-get install -y chromium libatomic1)")
    driver = subprocess.run([*compute_driver_executable(), "--version"], capture_output=True, text=True, check=False)
    if driver.returncode != 0:
        pytest.skip(
            f"Playwright's driver does not start (on Debian: apt-get install -y libatomic1): {driver.stderr[:200]}"
        )
    expect.set_options(timeout=PATIENCE)
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        options = [*QUIET, *(["--no-sandbox"] if is_root else [])]
        running = playwright.chromium.launch(executable_path=executable, args=options)
        yield running
        running.close()


@pytest.fixture
def new_tab(browser: Browser) -> Iterator[NewTab]:
    """`new_tab(width=390, dark=True)` opens a page in a browser of its own, signed in as nobody."""
    tabs = NewTab(browser)
    yield tabs
    tabs.close()
    assert not tabs.complaints, "\n".join(tabs.complaints)


@pytest.fixture
def tab(new_tab: NewTab) -> Page:
    """A page on a desk's screen. The test fails if the browser complains about anything on it."""
    return new_tab()


class NewTab:
    """Opens pages and remembers what the browser complained about: script errors, blocked content, console errors."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.contexts: list[BrowserContext] = []
        self.complaints: list[str] = []

    def __call__(self, width: int = 1280, height: int = 800, *, dark: bool = False, scripts: bool = True) -> Page:
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            java_script_enabled=scripts,
            locale="en-GB",
            reduced_motion="reduce",
        )
        self.contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(f"script error: {error}"))
        return page

    def _hear(self, message: ConsoleMessage) -> None:
        # A refusal is an answer with a 4xx status, which Chromium calls an error; blocked content is worded otherwise.
        if message.type == "error" and not message.text.startswith("Failed to load resource: the server responded"):
            self.complaints.append(f"console: {message.text} ({message.location.get('url', '')})")

    def close(self) -> None:
        for context in self.contexts:
            context.close()


def axe(page: Page) -> None:
    """Fail unless the accessibility rules find nothing at all on the page as it stands."""
    # A toast that fades out is grey for a moment; colours are judged when everything has come to rest.
    page.evaluate(
        """() => Promise.race([
            Promise.allSettled(document.getAnimations().map((animation) => animation.finished)),
            new Promise((done) => setTimeout(done, 2000)),
        ])"""
    )
    found = Axe().run(page).response["violations"]
    told = [
        f"{rule['id']} ({rule['impact']}): {node['target']} {node['html'][:160]}"
        for rule in found
        for node in rule["nodes"][:3]
    ]
    assert not told, "\n".join([page.url, *told])


def shot(page: Page, name: str, *, whole: bool = True) -> Path:
    """A picture of the page as `name`.png in $TEST_SHOTS, or in a folder for such things."""
    folder = Path(os.environ.get("TEST_SHOTS") or Path(tempfile.gettempdir()) / "largesse-shots")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.png"
    page.screenshot(path=path, full_page=whole)
    return path
