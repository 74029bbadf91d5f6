"""Organisations: how the tree is written down, and what may stand where in it."""

from __future__ import annotations

from collections.abc import Sequence

from webapp.domain.errors import Refused
from webapp.domain.profiles import fold
from webapp.domain.verdicts import Reason, Verdict, all_of

DEEPEST = 20  # levels, the root included
LONGEST_ID = 64
LONGEST_SEARCH = 300
_SHOWN = 60


def path_below(parent_path: str, organisation_id: int) -> str:
    """The path of a child: «/1/5/» and 12 give «/1/5/12/»; an empty parent path is the top."""
    return f"{parent_path or '/'}{organisation_id}/"


def ids_in(path: str) -> tuple[int, ...]:
    """The ids from the root down: «/1/5/12/» gives (1, 5, 12)."""
    return tuple(int(part) for part in path.split("/") if part)


def depth(path: str) -> int:
    """How many levels a path has: «/1/5/12/» has 3, the empty path none."""
    return max(0, path.count("/") - 1)


def is_within(path: str, prefixes: Sequence[str] | None) -> bool:
    """Whether a path lies in one of the subtrees; None is the whole tree."""
    return prefixes is None or any(path.startswith(prefix) for prefix in prefixes)


def search_text(title: str, external_id: str) -> str:
    """What an organisation or a location is searched by and sorted by: title, then id, without accents or case."""
    return f"{fold(title)} {external_id.lower()}"[:LONGEST_SEARCH]


def checked_external_id(text: str, noun: str = "organisation") -> str:
    """The id that files know it by, trimmed: 1 to 64 characters; ``Refused`` otherwise."""
    trimmed = text.strip()
    if not 1 <= len(trimmed) <= LONGEST_ID:
        raise Refused(
            f"{noun}.external_id",
            f"The id has {len(trimmed):,} characters; use 1 to {LONGEST_ID}, as files are to name the {noun}.",
            "external_id",
        )
    return trimmed


def may_stand_below(title: str, path: str, levels: int, parent_title: str, parent_path: str) -> Verdict:
    """Whether an organisation of ``levels`` levels, itself included, may stand below the parent.

    ``path`` is empty for one that is new; ``parent_path`` is empty for the top.
    """
    reached = depth(parent_path) + levels
    return all_of(
        Reason(
            "organisation.cycle",
            f"«{parent_title[:_SHOWN]}» is «{title[:_SHOWN]}» itself or stands below it, so it cannot be above it. Choose an "
            "organisation outside this branch.",
            "parent",
        )
        if path and parent_path.startswith(path)
        else None,
        Reason(
            "organisation.depth",
            f"The tree would be {reached} levels deep here; {DEEPEST} are the most. Choose a parent further up.",
            "parent",
        )
        if reached > DEEPEST
        else None,
    )


def may_archive(title: str, *, is_archived: bool, child_count: int, grant_count: int) -> Verdict:
    """An organisation goes out of use when nothing stands on it any more; its members stay (product.md ruling 13)."""
    return all_of(
        Reason("organisation.archived", f"«{title[:_SHOWN]}» is archived already.") if is_archived else None,
        Reason(
            "organisation.children",
            f"«{title[:_SHOWN]}» has {_many(child_count, 'organisation')} below it that {_are(child_count)} not archived. "
            "Archive or move those first.",
        )
        if child_count
        else None,
        Reason(
            "organisation.grants",
            f"{_many(grant_count, 'role')} of staff {_are(grant_count)} given on «{title[:_SHOWN]}». Change those roles on the "
            "Staff page first.",
        )
        if grant_count
        else None,
    )


def may_restore(title: str, *, is_archived: bool, parent_title: str, is_parent_archived: bool) -> Verdict:
    """Back into use, below a parent that is in use."""
    return all_of(
        None if is_archived else Reason("organisation.not_archived", f"«{title[:_SHOWN]}» is not archived."),
        Reason(
            "organisation.parent_archived",
            f"«{parent_title[:_SHOWN]}», which it stands below, is archived. Restore that one first.",
        )
        if is_parent_archived
        else None,
    )


def may_use(title: str, *, is_archived: bool, field: str) -> Verdict:
    """Nothing new comes to an archived organisation."""
    return all_of(
        Reason(
            "organisation.archived",
            f"«{title[:_SHOWN]}» is archived, so nothing is added to it. Restore it or choose another.",
            field,
        )
        if is_archived
        else None
    )


def unknown(external_id: str, field: str) -> Refused:
    """No organisation has this id, or none that this person may know of."""
    return Refused(
        "organisation.unknown",
        f"There is no organisation with the id «{external_id[:_SHOWN]}». Copy the id from the page of the organisation.",
        field,
    )


def _many(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
