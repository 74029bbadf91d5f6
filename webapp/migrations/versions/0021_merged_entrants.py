"""Whoever others were merged into is found on the sites these entered: sealed draws keep entries with the old rows."""

from alembic import op

revision = "0021_merged_entrants"
down_revision = "0020_people_within"

_PEOPLE = (
    "insert into site_people (profile_id, site_id, external_id, email_key, phone_key, search_text, name_key) "
    "select p.id, s.site_id, p.external_id, p.email_key, p.phone_key, p.search_text, p.name_key "
    "from (select distinct o.merged_into_id as profile_id, r.site_id from profiles o "
    "join entries e on e.profile_id = o.id join rewards r on r.id = e.reward_id where o.merged_into_id is not null) s "
    "join profiles p on p.id = s.profile_id where p.erased_at is null and not exists "
    "(select 1 from site_people c where c.profile_id = s.profile_id and c.site_id = s.site_id)"
)
_WORDS = (
    "insert into site_terms (profile_id, site_id, is_identity, term) "
    "select s.profile_id, s.site_id, {no}, t.term from site_people s join profile_terms t on t.profile_id = s.profile_id "
    "where not exists (select 1 from site_terms c where c.profile_id = s.profile_id and c.site_id = s.site_id "
    "and not c.is_identity and c.term = t.term)"
)
_IDENTITIES = (
    "insert into site_terms (profile_id, site_id, is_identity, term) select distinct s.profile_id, s.site_id, {yes}, "
    "i.identifier from site_people s join profile_identities i on i.profile_id = s.profile_id "
    "where not exists (select 1 from site_terms c where c.profile_id = s.profile_id and c.site_id = s.site_id "
    "and c.is_identity and c.term = i.identifier)"
)
_TRUTH = {"sqlite": {"no": "0", "yes": "1"}, "postgresql": {"no": "false", "yes": "true"}}
_NEVER_THERE = (
    "not exists (select 1 from entries e join rewards r on r.id = e.reward_id "
    "where e.profile_id = {table}.profile_id and r.site_id = {table}.site_id)"
)


def upgrade() -> None:
    words = _TRUTH[op.get_context().dialect.name]
    for statement in (_PEOPLE, _WORDS, _IDENTITIES):
        op.execute(statement.format(**words))


def downgrade() -> None:
    for table in ("site_people", "site_terms"):
        op.execute(f"delete from {table} where {_NEVER_THERE.format(table=table)}")  # noqa: S608
