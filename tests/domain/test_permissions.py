"""Every right has words, and no two the same."""

from __future__ import annotations

from webapp.domain.permissions import RIGHTS, Permission


def test_every_right_that_a_role_gives_has_its_own_words():
    assert RIGHTS.keys() == {*Permission} - {Permission.PUBLIC, Permission.SIGNED_IN}
    assert len(set(RIGHTS.values())) == len(RIGHTS)
