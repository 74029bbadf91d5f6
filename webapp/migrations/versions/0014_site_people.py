"""People are found on the sites they entered: their keys behind each of these sites."""

import sqlalchemy as sa
from alembic import op

revision = "0014_site_people"
down_revision = "0013_long_lists"

_KEYS = {"external_id": 64, "email_key": 254, "phone_key": 40, "search_text": 600, "name_key": 250}
_OPTIONAL = ("external_id", "email_key")
_PEOPLE = (
    "insert into site_people (profile_id, site_id, external_id, email_key, phone_key, search_text, name_key) "
    "select p.id, s.site_id, p.external_id, p.email_key, p.phone_key, p.search_text, p.name_key "
    "from (select distinct e.profile_id, r.site_id from entries e join rewards r on r.id = e.reward_id) s "
    "join profiles p on p.id = s.profile_id where p.erased_at is null"
)
_WORDS = (
    "insert into site_terms (profile_id, site_id, is_identity, term) "
    "select s.profile_id, s.site_id, {no}, t.term from site_people s join profile_terms t on t.profile_id = s.profile_id"
)
_IDENTITIES = (
    "insert into site_terms (profile_id, site_id, is_identity, term) select distinct s.profile_id, s.site_id, {yes}, "
    "i.identifier from site_people s join profile_identities i on i.profile_id = s.profile_id"
)
_TRUTH = {"sqlite": {"no": "0", "yes": "1"}, "postgresql": {"no": "false", "yes": "true"}}


def upgrade() -> None:
    op.create_table(
        "site_people",
        sa.Column("profile_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(name, _key(length), nullable=name in _OPTIONAL) for name, length in _KEYS.items()),
        sa.PrimaryKeyConstraint("profile_id", "site_id", name=op.f("pk_site_people")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "site_terms",
        sa.Column("profile_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("site_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("is_identity", sa.Boolean(), nullable=False),
        sa.Column("term", _key(250), nullable=False),
        sa.PrimaryKeyConstraint("profile_id", "site_id", "is_identity", "term", name=op.f("pk_site_terms")),
        sqlite_with_rowid=False,
    )
    words = _TRUTH[op.get_context().dialect.name]
    for statement in (_PEOPLE, _WORDS, _IDENTITIES):
        op.execute(statement.format(**words))
    # Indexes on what is there already are built at one go, several times as fast as row by row.
    for name in _KEYS:
        op.create_index(f"ix_site_people_site_id_{name}", "site_people", ["site_id", name])
    op.create_index("ix_site_terms_site_id_is_identity_term", "site_terms", ["site_id", "is_identity", "term"])


def _key(length: int) -> sa.String:
    return sa.String(length).with_variant(sa.String(length, collation="C"), "postgresql")


def downgrade() -> None:
    op.drop_table("site_terms")
    op.drop_table("site_people")
