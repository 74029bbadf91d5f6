"""What the rows of files of rewards can tell: what their export writes, less their state and what only counts."""

from __future__ import annotations

from webapp.domain.identity import NAME_LENGTH
from webapp.domain.import_kinds import Cell, Column
from webapp.domain.rewards import LONGEST_NOTES, LONGEST_TERMS, LONGEST_WAIT, MOST_RESERVES, MOST_VOUCHERS, RewardKind

_LONGEST_LIST = 32_000  # of prizes, each with a title in which every sign is escaped

REWARD_COLUMNS: tuple[Column, ...] = (
    Column(
        "name",
        "Name",
        ("reward", "rewardname", "handle"),
        "Says which reward; a new name makes a new one.",
        Cell.NAME,
        NAME_LENGTH,
        is_needed=True,
    ),
    Column("site", "Site", ("website",), "The name of a site; a new reward needs it.", Cell.KEY, 60),
    Column(
        "kind",
        "Kind",
        ("rewardtype", "type"),
        "A prize draw when left out; it never changes.",
        choices=tuple(map(str, RewardKind)),
    ),
    Column("title", "Title", ("rewardtitle",), "", Cell.LINE, 120, is_needed=True),
    Column("sub_title", "Subtitle", ("subtitle",), "", Cell.LINE),
    Column(
        "starts_at",
        "First day",
        ("startsat", "startdate", "firstday"),
        "Such as 2026-03-01, a day of the site; or an ISO date and time.",
        Cell.BOUND,
        40,
    ),
    Column(
        "ends_at",
        "Last day",
        ("endsat", "enddate", "lastday"),
        "A day counts until its end; a date and time is the first moment after.",
        Cell.BOUND,
        40,
    ),
    Column(
        "prizes",
        "Prizes",
        (),
        'A JSON list in the order drawn, such as [{"title": "Mug", "quantity": 2, "value_minor": 800}].',
        Cell.PRIZES,
        _LONGEST_LIST,
    ),
    Column(
        "reserve_count",
        "Reserves",
        ("reservecount",),
        "As many as prizes when left out, at least 3.",
        Cell.NUMBER,
        12,
        within=(0, MOST_RESERVES),
    ),
    Column("voucher_type", "Voucher type", ("vouchertype",), "The code of a voucher type of the site.", Cell.KEY, 40),
    Column(
        "vouchers_per_winner",
        "Vouchers for each winner",
        ("vouchersperwinner",),
        "",
        Cell.NUMBER,
        12,
        within=(1, MOST_VOUCHERS),
    ),
    Column("one_per_recipient", "One entry per person", ("oneperrecipient",), "", Cell.YES_NO, 5),
    Column(
        "exclude_previous_winners",
        "Leave out people who have won before",
        ("excludepreviouswinners",),
        "",
        Cell.YES_NO,
        5,
    ),
    Column(
        "min_wait_minutes",
        "Least time between seal and draw",
        ("minwaitminutes",),
        "In minutes.",
        Cell.NUMBER,
        12,
        within=(0, LONGEST_WAIT),
    ),
    Column(
        "witnessed_value",
        "What the witness supplies",
        ("witnessedvalue",),
        "As on the form when left out.",
        Cell.LINE,
        300,
    ),
    Column("terms", "Terms", ("termsconditions",), "", Cell.PARAGRAPH, LONGEST_TERMS),
    Column("notes", "Notes for staff", ("note", "remarks"), "", Cell.PARAGRAPH, LONGEST_NOTES),
)
