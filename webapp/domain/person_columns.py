"""What the rows of a file of people can tell: everything that is kept of a person, one column each."""

from __future__ import annotations

from webapp.domain.import_kinds import Column
from webapp.domain.people import CHANNEL_WORDS, CHANNELS, PURPOSE_WORDS, PURPOSES

PERSON_COLUMNS = (
    Column(
        "external_id",
        "Member ID",
        ("memberid", "member", "membernumber", "memberno", "externalid", "customerid", "cardnumber", "userid"),
        "Tells a person apart; without it the e-mail does, else an identity.",
        most=64,
    ),
    Column("email", "E-mail", ("email", "emailaddress", "mail", "mailaddress"), most=254),
    Column("title", "Title", ("title", "salutation", "prefix"), most=40),
    Column("first_name", "First name", ("firstname", "forename", "givenname", "first"), most=120),
    Column("last_name", "Surname", ("surname", "lastname", "familyname", "last"), most=120),
    Column(
        "phone",
        "Mobile",
        ("mobile", "phone", "telephone", "mobilephone", "mobilenumber", "phonenumber", "tel"),
        most=40,
    ),
    Column("home_phone", "Home phone", ("homephone", "landline"), most=40),
    Column("postcode", "Postcode", ("postcode", "zip", "zipcode", "postalcode", "plz"), most=20),
    Column("birth_day", "Day of birth", ("birthday", "dayofbirth"), "1 to 31."),
    Column("birth_month", "Month of birth", ("birthmonth", "monthofbirth"), "1 to 12."),
    Column("birth_year", "Year of birth", ("birthyear", "yearofbirth"), "In four digits."),
    Column("gender", "Gender", ("gender", "sex"), "female, male, other or withheld."),
    Column("joined_at", "Joined", ("joinedat", "joined", "joinedon", "joindate"), "An ISO day or moment."),
    Column("joined_location", "Joined at location", ("joinedlocation", "joinlocation"), "The ID of a location."),
    Column(
        "preferred_location",
        "Preferred location",
        ("preferredlocation", "homestore", "preferredstore"),
        "The ID of a location.",
    ),
    Column("tier", "Tier", ("tier", "tierhandle", "level"), "The name of a tier."),
    Column("tags", "Tags", ("tags", "labels"), "Separated by commas."),
    Column("statuses", "Statuses", ("statuses", "status"), "Separated by commas."),
    Column("zone", "Time zone", ("zone", "timezone", "tz"), "Such as Europe/London."),
    Column("consents", "Consents", ("consents",), "Such as email_promo=yes, sms_promo=no."),
    Column("identities", "Identities", ("identities",), "Such as pos=12, crm=A7."),
    Column("attributes", "Further facts", ("attributes", "furtherfacts"), "As our own files write them."),
    Column("created_at", "Known since", ("createdat", "knownsince"), "Kept for new people."),
    Column("updated_at", "Last changed", ("updatedat", "lastchanged"), "Kept for new people."),
)
CONSENT_COLUMNS = tuple(
    Column(
        f"{channel}_{purpose}",
        f"Consent: {CHANNEL_WORDS[channel]} {PURPOSE_WORDS[purpose]}",
        (f"{channel}{purpose}",),
        "yes or no.",
    )
    for channel in CHANNELS
    for purpose in PURPOSES
)


def fact_column(name: str, title: str) -> Column:
    """The column of one further fact; a heading that is its name or its title means it."""
    return Column(name, title, (), "As forms take it.")
