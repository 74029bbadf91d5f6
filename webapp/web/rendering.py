"""One context, two pictures: the whole page, or the part that htmx asked for."""

from __future__ import annotations

from typing import Any

from flask import Response, make_response, redirect, render_template, request, url_for


def asked_for_part() -> bool:
    """Whether htmx wants one part of the page rather than the page."""
    headers = request.headers
    return headers.get("HX-Request-Type") == "partial" and "HX-History-Restore-Request" not in headers


def render(page: str, part: str | None = None, status: int = 200, **context: object) -> Response:
    """The page, or ``part`` of it when that was asked for."""
    wanted = part if part and asked_for_part() else None
    text = render_template(wanted or page, **context)
    if wanted and request.method == "GET":
        text += render_template("layouts/_unread_part.html")
    response = make_response(text, status)
    response.vary.update(("HX-Request", "HX-Request-Type"))
    return response


def go(endpoint: str, **values: Any) -> Response:
    """Leave this screen. htmx would follow a 303 itself and swap a whole page into the form."""
    return leave(url_for(endpoint, **values))


def leave(url: str) -> Response:
    """Go to an address of our own."""
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": url})
    return make_response(redirect(url, 303))


def unchanged(tag: str) -> Response | None:
    """304 when the poller already has the picture named ``tag``; it costs no template and no body."""
    if request.headers.get("HX-PTag") == tag or request.if_none_match.contains(tag):
        return Response(status=304)
    return None
