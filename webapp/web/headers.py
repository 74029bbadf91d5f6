"""What every answer carries, what is kept out, and addresses of static files that may be kept for ever."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, request, request_started
from flask.typing import ResponseReturnValue

from webapp.config import Settings
from webapp.domain.permissions import Permission
from webapp.extensions import csrf
from webapp.web.access import requires

log = logging.getLogger(__name__)
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
LARGEST_REPORT = 16 * 1024
# reliability.md 6.3
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src {images}; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; report-uri /csp-report"
)
_FIXED = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Server": "Largesse",
}
_WITH_CAMERA = _FIXED["Permissions-Policy"].replace("camera=()", "camera=(self)")  # at the till alone
_HSTS = "max-age=31536000; includeSubDomains"
_FOR_EVER = "public, max-age=31536000, immutable"


def register(app: Flask) -> None:
    """Put the headers on, refuse what other sites send, and serve static files under a fingerprint."""
    settings: Settings = app.extensions["largesse"]
    images = " ".join(("'self'", "data:", *(f"https://{host}" for host in settings.image_hosts)))
    fixed = {**_FIXED, "Content-Security-Policy": _POLICY.format(images=images)}
    if settings.is_https:
        fixed["Strict-Transport-Security"] = _HSTS

    def add_headers(response: Response) -> Response:
        response.headers.update(fixed)
        if request.blueprint == "till":
            response.headers["Permissions-Policy"] = _WITH_CAMERA
        response.headers["Cache-Control"] = _FOR_EVER if g.get("may_be_kept") else "no-store"
        response.vary.update(("Cookie", "HX-Request"))
        return response

    request_started.connect(_limit_form, app)
    app.after_request(add_headers)
    app.before_request(_refuse_foreign)
    csrf.exempt(_note_report)
    app.add_url_rule("/csp-report", "csp_report", _note_report, methods=["POST"])
    _serve_static(app)


def _serve_static(app: Flask) -> None:
    """One fingerprint of the whole tree in the path: a style sheet's own ``url(../fonts/…)`` has it too."""
    folder = Path(str(app.static_folder))
    tree = fingerprint(folder)
    root = f"{app.static_url_path}/{tree}/"  # a page asks hundreds of times, once for every icon

    def static(filename: str, tree_asked: str = "") -> Response:
        response = app.send_static_file(filename)
        g.may_be_kept = tree_asked == tree
        return response

    def static_url(filename: str) -> str:
        return root + filename

    app.view_functions["static"] = static
    app.add_url_rule(f"{app.static_url_path}/<fingerprint:tree_asked>/<path:filename>", "static")
    app.jinja_env.globals["static_url"] = static_url


def fingerprint(folder: Path) -> str:
    """The first 12 hex digits of a hash over every file's path and content."""
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder).as_posix()}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def _limit_form(app: Flask, **_more: object) -> None:
    """Only uploads may be long. Werkzeug's own limit of a form's text knows multipart alone."""
    if request.mimetype != "multipart/form-data":
        request.max_content_length = app.config["MAX_FORM_MEMORY_SIZE"]


def _refuse_foreign() -> None:
    """No write that another site's page sent, whatever token it carries (reliability.md 6.2)."""
    if request.method in SAFE_METHODS or request.endpoint == "csp_report":
        return
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin", "none") or (origin is not None and not _is_ours(origin)):
        log.warning("A form from another site was refused: Sec-Fetch-Site %s, Origin %s", site, origin)
        g.is_foreign = True
        abort(403)


def _is_ours(origin: str) -> bool:
    public = urlsplit(current_app.extensions["largesse"].public_url)
    return urlsplit(origin).netloc in {request.host, public.netloc}


@requires(Permission.PUBLIC)
def _note_report() -> ResponseReturnValue:
    """A browser tells what the policy stopped on one of our pages."""
    length = request.content_length
    if length is None or length > LARGEST_REPORT:
        abort(413)
    report = request.get_json(force=True, silent=True)
    body = report.get("csp-report") if isinstance(report, dict) else None
    if isinstance(body, dict):
        page = urlsplit(str(body.get("document-uri", ""))[:300]).path
        log.warning(
            "The content policy stopped %s on %s: %s",
            str(body.get("violated-directive", ""))[:80],
            page,
            str(body.get("blocked-uri", "")).split("?")[0][:200],
        )
    return "", 204
