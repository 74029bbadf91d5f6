"""Members who share an address with another are found by it too, everywhere and on the sites they entered."""

import sqlalchemy as sa
from alembic import op

from webapp.domain.profiles import email_key

revision = "0022_shared_addresses"
down_revision = "0021_merged_entrants"

_LONGEST = 250
_SHARING = "id > :last and email <> '' and email_key is null and merged_into_id is null and erased_at is null order by id limit 5000"
_EVERYWHERE = "insert into profile_terms (profile_id, term) values (:id, :term) on conflict do nothing"
_ON_SITES = (
    "insert into site_terms (profile_id, site_id, is_identity, term) "
    "select s.profile_id, s.site_id, {no}, t.term from site_people s join profile_terms t on t.profile_id = s.profile_id "
    "where t.term like '%@%' and not exists (select 1 from site_terms c where c.profile_id = s.profile_id "
    "and c.site_id = s.site_id and not c.is_identity and c.term = t.term)"
)
_NO = {"sqlite": "0", "postgresql": "false"}
_DROP = "delete from {table} where term like '%@%'{words}"


def upgrade() -> None:
    connection, last = op.get_bind(), 0
    while rows := connection.execute(sa.text(f"select id, email from profiles where {_SHARING}"), {"last": last}).all():  # noqa: S608
        last = rows[-1].id
        found = [{"id": row.id, "term": email_key(row.email)[:_LONGEST]} for row in rows]
        connection.execute(sa.text(_EVERYWHERE), found)
    op.execute(_ON_SITES.format(no=_NO[op.get_context().dialect.name]))


def downgrade() -> None:
    for table, words in (("site_terms", " and not is_identity"), ("profile_terms", "")):
        op.execute(_DROP.format(table=table, words=words))
