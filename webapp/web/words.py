"""The words of the error pages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A heading, what happened, and what to do about it."""

    title: str
    what: str
    do: tuple[str, ...] = ()


_AGAIN = "Go back, reload the page and send it again; what you typed is listed below when there was any."
_TELL = "If it happens again, tell the administrator the reference below."

WORDS: dict[int, Words] = {
    400: Words(
        "This request could not be read",
        "The browser sent something that is not a form of this console.",
        (_AGAIN, _TELL),
    ),
    401: Words("Sign in first", "This page is for staff who are signed in."),
    403: Words(
        "This is not yours to do", "Your roles do not include it. Nothing was changed, and the refusal is on record."
    ),
    404: Words(
        "There is no such page",
        "The address is wrong, the thing is gone, or it belongs to a site you do not work on.",
        ("Check the address for a slip.", "Look for it through the menu."),
    ),
    405: Words(
        "This address works another way",
        "The page exists but cannot be used like this.",
        ("Open it through the menu.",),
    ),
    409: Words(
        "Somebody was faster",
        "The record changed while the form was open. Nothing of yours was written.",
        ("Open the page again to see what it says now.", "Then make your change anew."),
    ),
    413: Words(
        "This is too large",
        "A form may hold 500 kB of text and an upload 25 MB.",
        ("Split the file into smaller ones, each with the heading line.",),
    ),
    415: Words("This kind of content is not taken here", "The address does not read what the browser sent.", (_AGAIN,)),
    422: Words(
        "This cannot be done",
        "A rule of the programme says no. Nothing was changed.",
        ("Go back and mend what it names.",),
    ),
    429: Words("Too many tries", "Wait a moment before the next one; the wait grows with every miss."),
    500: Words(
        "The program failed",
        "This is our fault, not yours. What you sent was not written, not even in part.",
        ("Try once more.", _TELL),
    ),
    503: Words(
        "The database is busy",
        "It could not take the change in time. Nothing was written.",
        ("Send the form again in a moment; it counts once however often it arrives.",),
    ),
}
FORGED = Words(
    "This form is no longer good",
    "It was open while somebody signed in or out in this browser, or it did not come from this console. Nothing was changed.",
    ("Go back and reload the page.", "Then fill it in again and send it; what you typed is listed below."),
)
FULL = Words(
    "The disk is full",
    "Nothing can be written until there is room. What is stored is safe, and pages still open.",
    ("Tell the administrator. Nothing has to be repaired or restarted afterwards.",),
)
OUT_OF_REACH = Words(
    "The database does not answer",
    "The console is running but cannot reach its database. Nothing was written.",
    ("Try again in a minute.", "The administrator finds the cause with the command «doctor»."),
)
