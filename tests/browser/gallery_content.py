"""Lifelike things to show in the gallery: one incentive programme in a busy week."""

from __future__ import annotations

from types import SimpleNamespace as Thing
from typing import Any

from wtforms import (
    BooleanField,
    DateTimeLocalField,
    DecimalField,
    EmailField,
    FileField,
    Form,
    IntegerField,
    PasswordField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange
from wtforms.widgets import CheckboxInput, ListWidget

PAGES = {
    "today": "Today",
    "list": "Benefit definitions",
    "phone_list": "Vouchers",
    "detail": "Dealer spring draw",
    "form": "New definition",
    "refused": "New definition",
    "confirm": "Void 1,204 benefits",
    "board": "Fulfilment",
    "draw": "Draw of Dealer spring draw",
    "reports": "Reports",
    "parts": "Parts",
    "empty": "Nothing to show",
    "till": "Till",
    "signin": "Sign in",
    "error_page": "This page cannot be shown right now",
    "ceremony": "Dealer spring draw",
    "sheet": "Draw certificate",
}
HASH = "9f2c41d07be83a56c4d1907feab35e1284c66f0d93b7e5a218f04cdd6b7a39e1"
DOLPHINS = "Zoë Åström-Nguyễn, Αθηνά Παπαδοπούλου and Юлия Смирнова"
FLASHES = [
    ("message", "1,204 benefits issued. Undo is open until 17:30."),
    ("error", "The mail server refused 3 messages."),
]
CLOCK = Thing(iso="2026-06-12T09:41:00+02:00", text="Fri 12 June 09:41", zone="Europe/Berlin")


def _item(label: str, icon: str, badge: object = None, *, current: bool = False) -> Thing:
    return Thing(label=label, icon=icon, badge=badge, url="#" + icon, current=current)


def navigation(current: str) -> list[list[Thing]]:
    daily = [
        ("Today", "inbox", 14),
        ("People", "users", None),
        ("Benefits", "gift", None),
        ("Vouchers", "ticket", None),
        ("Rewards", "trophy", None),
        ("Fulfilment", "package", 6),
        ("Messages", "mail", None),
        ("Reports", "chart-column", None),
    ]
    below = [
        ("Imports & exports", "arrow-left-right"),
        ("Jobs", "list-checks"),
        ("Audit", "scroll-text"),
        ("Staff", "user-cog"),
        ("Settings", "settings"),
        ("Help", "circle-question-mark"),
    ]
    return [
        [_item(label, icon, badge, current=label == current) for label, icon, badge in daily],
        [_item(label, icon, current=label == current) for label, icon in below],
    ]


class DefinitionForm(Form):
    """Every kind of field the console knows."""

    title = StringField("Title", [DataRequired(), Length(max=80)])
    handle = StringField("Handle", [DataRequired(), Length(max=40)])
    kind = RadioField(
        "Kind",
        [InputRequired()],
        choices=[
            SelectChoice("voucher", "Voucher", render_kw={"data-hint": "A code that a till redeems."}),
            SelectChoice("perk", "Perk", render_kw={"data-hint": "Claimed once, nothing to scan."}),
            SelectChoice("points", "Points", render_kw={"data-hint": "Adds to a bucket on issue."}),
        ],
    )
    organisation = SelectField(
        "Organisation",
        choices=[
            SelectChoice("1", "Northwind dealers", optgroup="Dealers"),
            SelectChoice("2", "Alpine dealers", optgroup="Dealers"),
            SelectChoice("3", "Head office", optgroup="Own staff"),
        ],
    )
    description = TextAreaField("Terms and conditions")
    value = DecimalField("Value", [NumberRange(min=0)], places=2)
    discount = IntegerField("Discount", [NumberRange(min=0, max=100)])
    max_redemptions = IntegerField("Redemptions per benefit", [InputRequired(), NumberRange(min=1, max=999)])
    claim_from = DateTimeLocalField("Claim from", [InputRequired()])
    claim_until = DateTimeLocalField("Claim until")
    is_extendable = BooleanField("May be extended")
    requires_approval = BooleanField("Requires approval")
    days = SelectMultipleField(
        "Redeemable on",
        choices=[SelectChoice(day, day) for day in ("Weekdays", "Saturday", "Sunday", "Public holidays")],
        option_widget=CheckboxInput(),
        widget=ListWidget(prefix_label=False),
    )
    groups = SelectMultipleField(
        "Groups", choices=[SelectChoice(name, name) for name in ("Gold", "Silver", "New joiners")]
    )
    image = FileField("Picture")
    contact = EmailField("Contact for questions")


class SignInForm(Form):
    """Sign-in."""

    email = EmailField("E-mail", [DataRequired()])
    password = PasswordField("Password", [DataRequired()])
    is_remembered = BooleanField("Stay signed in on this device")


def definition_form(*, refused: bool = False) -> DefinitionForm:
    form = DefinitionForm(
        data={
            "title": "Spring gift voucher",
            "handle": "spring-gift-2026",
            "kind": "voucher",
            "organisation": "2",
            "description": "Valid once, in store or online. No cash back.",
            "value": 25,
            "discount": 15,
            "max_redemptions": 0 if refused else 1,
            "is_extendable": True,
            "days": ["Weekdays", "Saturday"],
            "groups": ["Gold"],
        }
    )
    if refused:
        form.form_errors = ["1,204 people would get this twice. Tick «once per person» or narrow the audience."]
        form.handle.errors = ["The handle spring-gift-2026 is taken by «Spring gift voucher (2025)». Choose another."]
        form.max_redemptions.errors = ["0 redemptions were given; at least 1 is needed."]
        form.kind.errors = ["Choose what people get."]
        form.claim_until.errors = ["The claim window closes on 1 March, before it opens on 14 March."]
    return form


ROWS = [
    Thing(
        id=1000,
        title="Spring gift voucher",
        handle="spring-gift-2026",
        kind="Voucher",
        status="active",
        runs=("1 Mar 2026", "30 Jun 2026"),
        issued=12480,
        used=8231,
        total=20000,
    ),
    Thing(
        id=1001,
        title="Dealer welcome perk",
        handle="dealer-welcome",
        kind="Perk",
        status="draft",
        runs=("1 Jul 2026", None),
        issued=0,
        used=0,
        total=None,
    ),
    Thing(
        id=1002,
        title="Birthday coffee",
        handle="birthday-coffee",
        kind="Voucher",
        status="active",
        runs=("1 Jan 2026", None),
        issued=3120,
        used=1904,
        total=None,
    ),
    Thing(
        id=1003,
        title="Tier 2 parking pass",
        handle="parking-2",
        kind="Perk",
        status="paused",
        runs=("1 Apr 2026", "15 Oct 2026"),
        issued=80,
        used=13,
        total=80,
    ),
    Thing(
        id=1004,
        title="Module graduates bonus",
        handle="graduates",
        kind="Points",
        status="scheduled",
        runs=("15 Jun 2026", "15 Nov 2026"),
        issued=0,
        used=0,
        total=5000,
    ),
    Thing(
        id=1005,
        title="Referral bonus €25",
        handle="referral-25",
        kind="Voucher",
        status="active",
        runs=("1 Jun 2026", "15 Dec 2026"),
        issued=2500,
        used=1925,
        total=2500,
    ),
    Thing(
        id=1006,
        title="Winter voucher set",
        handle="winter-set",
        kind="Voucher",
        status="expired",
        runs=("1 Nov 2025", "28 Feb 2026"),
        issued=400,
        used=239,
        total=400,
    ),
    Thing(
        id=1007,
        title="Partner lounge day pass with a name long enough to wrap on a narrow screen",
        handle="lounge",
        kind="Perk",
        status="active",
        runs=("1 Aug 2026", "15 Nov 2026"),
        issued=40,
        used=32,
        total=40,
    ),
    Thing(
        id=1008,
        title="Sommer-Gutschein für Außendienstmitarbeiter",
        handle="sommer-ad",
        kind="Voucher",
        status="archived",
        runs=("1 Sep 2025", "15 Dec 2025"),
        issued=500,
        used=370,
        total=500,
    ),
    Thing(
        id=1009,
        title="Service anniversary points",
        handle="anniversary",
        kind="Points",
        status="active",
        runs=("1 Feb 2026", None),
        issued=217,
        used=217,
        total=None,
    ),
    Thing(
        id=1010,
        title="Demo-day breakfast",
        handle="demo-breakfast",
        kind="Perk",
        status="draft",
        runs=("1 Sep 2026", "30 Sep 2026"),
        issued=0,
        used=0,
        total=120,
    ),
    Thing(
        id=1011,
        title="Dealer fuel card top-up",
        handle="fuel",
        kind="Voucher",
        status="active",
        runs=("1 May 2026", "31 Dec 2026"),
        issued=940,
        used=612,
        total=1500,
    ),
]

HISTORY = [
    {
        "icon": "stamp",
        "tone": "brand",
        "at": "today 09:12",
        "iso": "2026-06-12T09:12:00+02:00",
        "who": "Ada Bergström",
        "sentence": "Sealed the plan with 4,812 entries",
        "detail": "Root 9f2c 41d0 … 6b7a 39e1",
    },
    {
        "icon": "circle-x",
        "tone": "bad",
        "at": "today 08:57",
        "who": "Jonas Weber",
        "sentence": "Declined 3 entries of staff families",
        "detail": "Rule: staff and family may not take part",
    },
    {
        "icon": "check",
        "tone": "good",
        "at": "yesterday 16:40",
        "who": "Jonas Weber",
        "sentence": "Accepted 318 entries of module graduates",
    },
    {
        "icon": "pencil",
        "at": "10 June 11:05",
        "who": "Mai Nguyễn",
        "sentence": "Changed the closing time",
        "detail": "was 10 June 17:00, is 11 June 23:59",
    },
    {
        "icon": "upload",
        "at": "2 June 10:18",
        "who": "Mai Nguyễn",
        "sentence": "Imported 4,497 entries from a file",
        "url": "#job",
    },
    {"icon": "plus", "at": "28 May 14:31", "who": "Mai Nguyễn", "sentence": "Created the reward"},
]

STAGES = [
    {
        "title": "To contact",
        "count": 2,
        "note": "within 3 days",
        "cards": [
            Thing(
                title="Weekend in Lisbon",
                who="Zoë Åström",
                status="winner",
                due="Contact by today 17:00",
                late=True,
                facts=[("phone", "no answer, 2 attempts"), ("map-pin", "Göteborg")],
            ),
            Thing(
                title="Espresso machine",
                who="Hans-Peter Müller-Lüdenscheidt",
                status="winner",
                due="Contact by 15 June",
                late=False,
                facts=[("building-2", "Northwind dealers")],
            ),
        ],
    },
    {
        "title": "To check",
        "count": 1,
        "note": "identity, age, address",
        "cards": [
            Thing(
                title="Headphones",
                who="Αθηνά Παπαδοπούλου",
                status="contacted",
                due="Answer due 18 June",
                late=False,
                facts=[("mail", "claimed by e-mail")],
            )
        ],
    },
    {
        "title": "To send",
        "count": 3,
        "cards": [
            Thing(
                title="Gift voucher €50",
                who="Юлия Смирнова",
                status="checked",
                due=None,
                late=False,
                facts=[("ticket", "code ending 7Q2")],
            ),
            Thing(
                title="Gift voucher €50",
                who="Trần Thị Mỹ Duyên",
                status="checked",
                due=None,
                late=False,
                facts=[("ticket", "code ending K4M")],
            ),
            Thing(
                title="Running shoes",
                who="Sam O’Neill",
                status="packed",
                due="Courier today 15:00",
                late=False,
                facts=[("truck", "label printed")],
            ),
        ],
    },
    {
        "title": "On the way",
        "count": 1,
        "cards": [
            Thing(
                title="Tablet",
                who="Chidi Anagonye",
                status="shipped",
                due="Expected 14 June",
                late=False,
                facts=[("truck", "JD0146 0003 8812")],
            )
        ],
    },
    {"title": "Closed", "count": 0, "cards": []},
]

STEPS = [
    {"title": "Rules", "state": "done", "by": "Mai Nguyễn", "at": "28 May 14:31"},
    {"title": "Entries", "state": "done", "by": "Jonas Weber", "at": "11 June 23:59", "text": "4,812 accepted"},
    {"title": "Freeze", "state": "done", "by": "Ada Bergström", "at": "12 June 09:12"},
    {"title": "Witness", "state": "current", "text": "Waiting for Olu Adeyemi", "url": "#witness"},
    {"title": "Draw", "state": "todo", "text": "two people"},
    {"title": "Winners", "state": "todo"},
    {"title": "Publish", "state": "todo"},
]

JOBS = [
    {
        "id": 41,
        "title": "Issue «Spring gift voucher» to Gold and Silver",
        "status": "running",
        "text": "about 40 seconds left",
        "done": 1806,
        "total": 3010,
        "started_by": "Mai Nguyễn",
        "url": "#",
        "cancel_url": "#cancel",
        "poll_url": "/poll",
        "ptag": "v7",
    },
    {
        "id": 42,
        "title": "Print voucher sheet «Referral bonus €25»",
        "status": "queued",
        "text": "third in the queue",
        "done": 0,
        "total": 0,
        "started_by": "Sam O’Neill",
    },
    {
        "id": 40,
        "title": "Export of redemptions, May",
        "status": "done",
        "text": "took 12 seconds",
        "done": 31874,
        "total": 31874,
        "result_url": "#file",
    },
    {
        "id": 39,
        "title": "Import of dealers.csv",
        "status": "failed",
        "text": "stopped at line 812",
        "done": 811,
        "total": 2040,
        "error": "Line 812: the member id 00417 appears twice. Nothing was imported.",
    },
]

MONTHS = ["Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar", "Apr", "May", "Jun"]
ISSUED = {"name": "Issued", "values": [2100, 1850, 2400, 2700, 3900, 5200, 2300, 2050, 4100, 4480, 4910, 3120]}
REDEEMED = {"name": "Redeemed", "values": [1500, 1490, 1610, 2020, 2600, 4100, 2210, 1500, 2300, 3105, 3620, 2010]}
LAPSED = {"name": "Lapsed", "values": [300, 260, 410, 380, 610, 700, 520, 340, 290, 300, 280, 90]}
FUNNEL_STAGES = [("Issued", 12480), ("Opened", 10912), ("Claimed", 9044), ("Redeemed", 8231)]
SPARK = [25, 28, 22, 23, 23, 20, 24, 18, 26, 24, 31, 36, 24, 41, 44, 36, 48, 52, 51, 56]


def context(name: str) -> dict[str, Any]:
    """What the layouts read, and everything above for the pages."""
    current = {
        "list": "Benefits",
        "form": "Benefits",
        "refused": "Benefits",
        "confirm": "Benefits",
        "phone_list": "Vouchers",
        "board": "Fulfilment",
        "reports": "Reports",
        "detail": "Rewards",
        "draw": "Rewards",
    }
    return {
        "title": PAGES.get(name, "Gallery"),
        "navigation": lambda: navigation(current.get(name, "Today")),
        "actor": Thing(name="Ada Bergström", roles=["draw supervisor", "viewer"], site="Nordics"),
        "clock": CLOCK,
        "search_url": "/search",
        "banner": "Small-team mode is on: every draw certificate says so." if name == "draw" else None,
        "site_url": "#site",
        "account_url": "#account",
        "sign_out_url": "/sign-out",
        "error": Thing(
            title=PAGES["error_page"],
            what="The database was busy for longer than ten seconds, so nothing was changed.",
            do=[
                "Try again in a minute: what you typed is kept below.",
                "If it happens again, tell your administrator the reference.",
            ],
            reference="7F3A-91C2",
            code="filter.unknown",
            back_url="#back",
        ),
        "form": SignInForm() if name == "signin" else definition_form(refused=name == "refused"),
        **{
            word.lower(): value
            for word, value in globals().items()
            if word.isupper() and word not in ("PAGES", "CLOCK")
        },
    }
