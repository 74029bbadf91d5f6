"""The design system on show: every layout and component with lifelike content, and pictures of it all.

`python -m tests.browser.gallery serve` shows it at http://127.0.0.1:5999/; `… shots [NAME …]` takes the pictures
at three widths in both schemes. What must hold for each page is in `test_gallery.py`.
"""

from __future__ import annotations

import argparse
import logging
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from playwright.sync_api import sync_playwright
from werkzeug.middleware.shared_data import SharedDataMiddleware
from werkzeug.serving import make_server
from werkzeug.wrappers import Request, Response

from tests.browser import gallery_content as content
from tests.support.browser import find_browser
from webapp.web import filters

ROOT = Path(__file__).resolve().parents[2]
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'"
)
WIDTHS = {390: 844, 1280: 800, 1920: 1080}


def environment() -> Environment:
    """Jinja as bare as it gets, so that a template that leans on anything else fails here."""
    folders = [ROOT / "templates", ROOT / "tests" / "browser" / "gallery_pages"]
    made = Environment(loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined)
    made.filters.update(
        control_attributes=filters.control_attributes,
        described_by=filters.described_by,
        drawn_as=filters.drawn_as,
        hidden_of=filters.hidden_of,
        input_attributes=filters.input_attributes,
    )
    made.globals.update(
        static_url=lambda filename: f"/static/{filename}",
        csrf_token=lambda: "gallery-token",
        get_flashed_messages=lambda **_options: content.FLASHES,
    )
    return made


def render(jinja: Environment, name: str, template: str) -> str:
    return jinja.get_template(template).render(content.context(name) | {"pages": content.PAGES})


def application() -> Callable[..., Any]:
    """Serves the pages; sending the big form is always refused, as a part; the job has never moved."""
    jinja = environment()

    @Request.application
    def answer(request: Request) -> Response:
        name = request.path.strip("/") or "index"
        if name == "poll":
            return Response(status=304)
        if name == "form" and request.method == "POST":
            return Response(render(jinja, "refused", "_definition_form.html"), 422, mimetype="text/html")
        if name not in content.PAGES and name != "index":
            return Response("Not in the gallery.", 404)
        html = render(jinja, name, f"{name}.html")
        return Response(html, headers={"Content-Security-Policy": POLICY}, mimetype="text/html")

    return SharedDataMiddleware(answer, {"/static": str(ROOT / "static")}, cache=False)


@contextmanager
def served(port: int = 0) -> Iterator[str]:
    """The address of a running gallery."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", port, application(), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def take_pictures(address: str, names: list[str], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            for width, height in WIDTHS.items():
                context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
                page = context.new_page()
                for name in names:
                    page.goto(f"{address}/{name}", wait_until="networkidle")
                    page.screenshot(path=folder / f"{name}-{width}-{scheme}.png", full_page=True)
                context.close()
        browser.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["serve", "shots"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--into", type=Path, default=ROOT / "instance" / "gallery")
    options = parser.parse_intermixed_args()
    with served(5999) as address:
        if options.what == "serve":
            sys.stdout.write(f"{address}/\n")
            threading.Event().wait()
        take_pictures(address, options.names or list(content.PAGES), options.into)


if __name__ == "__main__":
    main()
