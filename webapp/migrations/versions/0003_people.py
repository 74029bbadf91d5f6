"""People in full, organisations, groups, modules; second factors; imports that can be taken back; exports; anchors."""

import sqlalchemy as sa
from alembic import op

from webapp.domain import search

revision = "0003_people"
down_revision = "0002_guards"

# Added as they are written, because both databases add a column with its reference in place: a rebuilt table of a
# million people would hold everybody up, and on SQLite forget which ids were used.
_COLUMNS = {
    "import_runs": [
        "options json default '{}' not null",
        "changed_count integer default 0 not null",
        "undo_job_id integer {jobs}",
        "undone_at {moment}",
        "undone_by varchar(120) default '' not null",
        "undone json default '{}' not null",
    ],
    "import_mappings": ["options json default '{}' not null"],
    "profiles": [
        "title varchar(40) default '' not null",
        "home_phone varchar(40) default '' not null",
        "gender varchar(32) default '' not null",
        "birth_day integer CONSTRAINT ck_profiles_birth_day CHECK (birth_day between 1 and 31)",
        "birth_month integer CONSTRAINT ck_profiles_birth_month CHECK (birth_month between 1 and 12)",
        "birth_year integer CONSTRAINT ck_profiles_birth_year CHECK (birth_year between 1900 and 2200)",
        "joined_at {moment}",
        "joined_location_id integer {locations}",
        "preferred_location_id integer {locations}",
        "tier_id integer {tiers}",
        "statuses json default '[]' not null",
        "consents json default '{}' not null",
        "erased_at {moment}",
        "version integer default 1 not null",
        "import_run_id integer {import_runs}",
    ],
    "staff_members": [
        "totp_secret varchar(400) default '' not null",
        "totp_since {moment}",
        "totp_step bigint",
        "site_id integer {sites}",
    ],
    "staff_sessions": [
        "confirmed_at {moment}",
        "seeing_as_id integer {staff_members}",
        "needs_new_token boolean default {no} not null",
    ],
    "staff_grants": ["holds_from {moment}"],
}
_MOMENT = {"sqlite": "datetime", "postgresql": "timestamp with time zone"}
_NO = {"sqlite": "0", "postgresql": "false"}


def upgrade() -> None:
    op.create_table(
        "attribute_definitions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "text",
                "whole number",
                "decimal number",
                "yes or no",
                "date",
                "choice",
                name="attributekind",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 80", name=op.f("ck_attribute_definitions_name_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_attribute_definitions_title_within")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_attribute_definitions")),
        sa.UniqueConstraint("name", name=op.f("uq_attribute_definitions_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "audit_anchors",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_anchors")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("primary", "mailing list", "subscription", name="groupkind", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column(
            "registration",
            sa.Enum("open", "reviewed", "closed", name="registration", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("notes", sa.String(length=2000), nullable=False),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_groups_name_within")),
        sa.CheckConstraint("length(notes) <= 2000", name=op.f("ck_groups_notes_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_groups_title_within")),
        sa.CheckConstraint("member_count >= 0", name=op.f("ck_groups_members_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_groups")),
        sa.UniqueConstraint("name", name=op.f("uq_groups_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "organisation_types",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_organisation_types_name_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_organisation_types_title_within")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisation_types")),
        sa.UniqueConstraint("name", name=op.f("uq_organisation_types_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "tiers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(name) between 1 and 60", name=op.f("ck_tiers_name_within")),
        sa.CheckConstraint("length(title) between 1 and 120", name=op.f("ck_tiers_title_within")),
        sa.CheckConstraint("rank between 1 and 1000", name=op.f("ck_tiers_rank_within")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tiers")),
        sa.UniqueConstraint("name", name=op.f("uq_tiers_name")),
        sa.UniqueConstraint("rank", name=op.f("uq_tiers_rank")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "export_runs",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.Column("media", sa.String(length=10), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("row_count", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint("length(reason) <= 300", name=op.f("ck_export_runs_reason_within")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_export_runs_created_by_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_export_runs")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "modules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column(
            "path",
            sa.String(length=200).with_variant(sa.String(length=200, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("lapses_after", sa.Integer(), nullable=True),
        sa.Column(
            "lapses_unit",
            sa.Enum("days", "months", "years", name="lapseunit", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("completion_count", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("lapses_after between 1 and 1000", name=op.f("ck_modules_lapses_within")),
        sa.CheckConstraint("length(path) between 2 and 200", name=op.f("ck_modules_path_within")),
        sa.CheckConstraint("length(title) between 1 and 200", name=op.f("ck_modules_title_within")),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_modules_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_modules")),
        sqlite_autoincrement=True,
    )
    op.create_index("uq_modules_site_id_path", "modules", ["site_id", "path"], unique=True)

    op.create_table(
        "organisations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "external_id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("type_id", sa.Integer(), nullable=True),
        sa.Column("parent_id", sa.Integer(), nullable=True),
        sa.Column(
            "path",
            sa.String(length=400).with_variant(sa.String(length=400, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("attributes", sa.JSON(), nullable=False),
        sa.Column(
            "search_text",
            sa.String(length=300).with_variant(sa.String(length=300, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("member_count", sa.Integer(), nullable=False),
        sa.Column("archived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(address) <= 400", name=op.f("ck_organisations_address_within")),
        sa.CheckConstraint("length(external_id) between 1 and 64", name=op.f("ck_organisations_external_id_within")),
        sa.CheckConstraint("length(title) between 1 and 200", name=op.f("ck_organisations_title_within")),
        sa.CheckConstraint("member_count >= 0", name=op.f("ck_organisations_members_not_negative")),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_organisations_not_its_own_parent")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["organisations.id"], name=op.f("fk_organisations_parent_id_organisations")
        ),
        sa.ForeignKeyConstraint(
            ["type_id"], ["organisation_types.id"], name=op.f("fk_organisations_type_id_organisation_types")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organisations")),
        sa.UniqueConstraint("external_id", name=op.f("uq_organisations_external_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_organisations_parent_id"), "organisations", ["parent_id"], unique=False)
    op.create_index("ix_organisations_path", "organisations", ["path"], unique=False)
    op.create_index("ix_organisations_search_text", "organisations", ["search_text"], unique=False)
    op.create_index(op.f("ix_organisations_type_id"), "organisations", ["type_id"], unique=False)

    op.create_table(
        "recovery_codes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["staff_members.id"], name=op.f("fk_recovery_codes_staff_id_staff_members")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_codes")),
        sa.UniqueConstraint("staff_id", "code_hash", name=op.f("uq_recovery_codes_staff_id_code_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_recovery_codes_staff_id"), "recovery_codes", ["staff_id"], unique=False)

    op.create_table(
        "locations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column(
            "external_id",
            sa.String(length=64).with_variant(sa.String(length=64, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("timezone", sa.String(length=64), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("is_published", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "search_text",
            sa.String(length=300).with_variant(sa.String(length=300, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.CheckConstraint("length(external_id) between 1 and 64", name=op.f("ck_locations_external_id_within")),
        sa.CheckConstraint("length(title) between 1 and 200", name=op.f("ck_locations_title_within")),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_locations_organisation_id_organisations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_locations")),
        sa.UniqueConstraint("external_id", name=op.f("uq_locations_external_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_locations_organisation_id"), "locations", ["organisation_id"], unique=False)
    op.create_index("ix_locations_search_text", "locations", ["search_text"], unique=False)

    op.create_table(
        "import_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.Integer(), nullable=False),
        sa.Column("subject_id", sa.Integer(), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(["run_id"], ["import_runs.id"], name=op.f("fk_import_changes_run_id_import_runs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_import_changes_run_id_id", "import_changes", ["run_id", "id"], unique=False)

    op.create_table(
        "completions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("module_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("score", sa.Integer(), nullable=True),
        sa.Column("lapses_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.CheckConstraint("score between 0 and 100", name=op.f("ck_completions_score_within")),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_runs.id"], name=op.f("fk_completions_import_run_id_import_runs")
        ),
        sa.ForeignKeyConstraint(["module_id"], ["modules.id"], name=op.f("fk_completions_module_id_modules")),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_completions_profile_id_profiles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_completions")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_completions_import_run_id", "completions", ["import_run_id"], unique=False)
    op.create_index("ix_completions_module_id_id", "completions", ["module_id", "id"], unique=False)
    op.create_index("ix_completions_profile_id", "completions", ["profile_id"], unique=False)
    op.create_index(
        "uq_completions_module_id_profile_id_completed_at",
        "completions",
        ["module_id", "profile_id", "completed_at"],
        unique=True,
    )

    op.create_table(
        "memberships",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("organisation_id", sa.Integer(), nullable=True),
        sa.Column("joined_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("import_run_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_memberships_group_id_groups")),
        sa.ForeignKeyConstraint(
            ["import_run_id"], ["import_runs.id"], name=op.f("fk_memberships_import_run_id_import_runs")
        ),
        sa.ForeignKeyConstraint(
            ["organisation_id"], ["organisations.id"], name=op.f("fk_memberships_organisation_id_organisations")
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_memberships_profile_id_profiles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_memberships")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_memberships_group_id_id", "memberships", ["group_id", "id"], unique=False)
    op.create_index("ix_memberships_import_run_id", "memberships", ["import_run_id"], unique=False)
    op.create_index("ix_memberships_organisation_id_id", "memberships", ["organisation_id", "id"], unique=False)
    op.create_index(
        "ix_memberships_organisation_id_profile_id", "memberships", ["organisation_id", "profile_id"], unique=False
    )
    op.create_index("ix_memberships_profile_id", "memberships", ["profile_id"], unique=False)
    op.create_index(
        "uq_memberships_group_id_profile_id",
        "memberships",
        ["group_id", "profile_id"],
        unique=True,
        sqlite_where=sa.text("organisation_id is null"),
        postgresql_where=sa.text("organisation_id is null"),
    )
    op.create_index(
        "uq_memberships_group_id_profile_id_organisation_id",
        "memberships",
        ["group_id", "profile_id", "organisation_id"],
        unique=True,
    )

    op.create_table(
        "profile_identities",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column("system", sa.String(length=60), nullable=False),
        sa.Column(
            "identifier",
            sa.String(length=120).with_variant(sa.String(length=120, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "length(identifier) between 1 and 120", name=op.f("ck_profile_identities_identifier_within")
        ),
        sa.CheckConstraint("length(system) between 1 and 60", name=op.f("ck_profile_identities_system_within")),
        sa.ForeignKeyConstraint(
            ["profile_id"], ["profiles.id"], name=op.f("fk_profile_identities_profile_id_profiles")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_identities")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_profile_identities_identifier", "profile_identities", ["identifier"], unique=False)
    op.create_index(op.f("ix_profile_identities_profile_id"), "profile_identities", ["profile_id"], unique=False)
    op.create_index(
        "uq_profile_identities_system_identifier", "profile_identities", ["system", "identifier"], unique=True
    )

    op.create_table(
        "profile_merges",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("winner_id", sa.Integer(), nullable=False),
        sa.Column("loser_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=True),
        sa.Column("by", sa.String(length=120), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("moved", sa.JSON(), nullable=False),
        sa.CheckConstraint("winner_id <> loser_id", name=op.f("ck_profile_merges_two_people")),
        sa.ForeignKeyConstraint(["by_id"], ["staff_members.id"], name=op.f("fk_profile_merges_by_id_staff_members")),
        sa.ForeignKeyConstraint(["loser_id"], ["profiles.id"], name=op.f("fk_profile_merges_loser_id_profiles")),
        sa.ForeignKeyConstraint(["winner_id"], ["profiles.id"], name=op.f("fk_profile_merges_winner_id_profiles")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_profile_merges")),
        sa.UniqueConstraint("loser_id", name=op.f("uq_profile_merges_loser_id")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_profile_merges_winner_id"), "profile_merges", ["winner_id"], unique=False)

    op.create_table(
        "profile_terms",
        sa.Column("profile_id", sa.Integer(), nullable=False),
        sa.Column(
            "term",
            sa.String(length=250).with_variant(sa.String(length=250, collation="C"), "postgresql"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(["profile_id"], ["profiles.id"], name=op.f("fk_profile_terms_profile_id_profiles")),
        sa.PrimaryKeyConstraint("profile_id", "term", name=op.f("pk_profile_terms")),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_profile_terms_term", "profile_terms", ["term"])

    op.create_table(
        "name_slips",
        sa.Column(
            "slip", sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column(
            "word", sa.String(length=40).with_variant(sa.String(length=40, collation="C"), "postgresql"), nullable=False
        ),
        sa.PrimaryKeyConstraint("slip", "word", name=op.f("pk_name_slips")),
        sqlite_with_rowid=False,
    )

    op.create_table(
        "entry_days",
        sa.Column("reward_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.CheckConstraint("entry_count >= 0", name=op.f("ck_entry_days_count_not_negative")),
        sa.ForeignKeyConstraint(["reward_id"], ["rewards.id"], name=op.f("fk_entry_days_reward_id_rewards")),
        sa.PrimaryKeyConstraint("reward_id", "day", name=op.f("pk_entry_days")),
    )
    op.create_index("ix_entry_days_day", "entry_days", ["day"])
    op.create_table(
        "saved_views",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("screen", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=60), nullable=False),
        sa.Column("query", sa.String(length=500), nullable=False),
        sa.Column("is_shared", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("length(title) between 1 and 60", name=op.f("ck_saved_views_title_within")),
        sa.ForeignKeyConstraint(["staff_id"], ["staff_members.id"], name=op.f("fk_saved_views_staff_id_staff_members")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_saved_views")),
        sa.UniqueConstraint("staff_id", "screen", "title", name=op.f("uq_saved_views_staff_id_screen_title")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_saved_views_screen", "saved_views", ["screen"])

    for table, columns in _COLUMNS.items():
        for column in columns:
            op.execute(f"alter table {table} add column {_written(table, column)}")
    optional = _written("account_settings", "is_second_factor_optional boolean default {no} not null")
    op.execute(f"alter table account_settings add column {optional}")
    op.execute(f"alter table account_settings add column {_ANCHORS}")
    _index_names()
    # The day in UTC for what is there already: only the figures of the first page read it.
    utc = {"sqlite": "date(entered_at)", "postgresql": "(entered_at at time zone 'utc')::date"}
    day = utc[op.get_context().dialect.name]
    counted = f"select reward_id, {day}, count(*) from entries group by 1, 2"  # noqa: S608 - one of two texts of ours
    op.execute(f"insert into entry_days (reward_id, day, entry_count) {counted}")
    op.create_index("ix_profiles_import_run_id", "profiles", ["import_run_id"])
    op.create_index("ix_rewards_status", "rewards", ["status", "id"])
    op.create_index("ix_groups_kind", "groups", ["kind"])
    for name, columns in _PUT_AWAY.items():
        gone = sa.text("closed_at is not null" if name == "locations" else "archived_at is not null")
        index = f"ix_{name}_{'closed' if name == 'locations' else 'archived'}"
        op.create_index(index, name, columns, sqlite_where=gone, postgresql_where=gone)
    erased = sa.text("erased_at is not null")
    op.create_index("ix_profiles_erased_at", "profiles", ["erased_at"], sqlite_where=erased, postgresql_where=erased)
    tiered = sa.text("tier_id is not null")
    op.create_index("ix_profiles_tier_id", "profiles", ["tier_id"], sqlite_where=tiered, postgresql_where=tiered)
    op.create_index("ix_outbox_messages_recipient", "outbox_messages", ["recipient"])
    _regrant("organisation_id", "staff_id role site_id", "staff_id role site_id organisation_id")


def _index_names() -> None:
    """Everybody who is there already is found by any word of the name and in spite of a slip, as whoever comes now."""
    connection = op.get_bind()
    people = sa.text("select id, first_name, last_name from profiles where id > :last order by id limit 5000")
    terms = sa.text("insert into profile_terms (profile_id, term) values (:profile_id, :term)")
    last, vocabulary = 0, set()
    while rows := connection.execute(people, {"last": last}).all():
        last = rows[-1][0]
        found = [{"profile_id": row[0], "term": term} for row in rows for term in search.terms(row[1], row[2])]
        if found:
            connection.execute(terms, found)
        vocabulary |= search.vocabulary(name for row in rows for name in row[1:])
    slips = sorted((slip, word) for word in vocabulary for slip in search.slips(word))
    if slips:
        connection.execute(
            sa.text("insert into name_slips (slip, word) values (:slip, :word)"),
            [{"slip": slip, "word": word} for slip, word in slips],
        )


# What is archived or closed is little, and listed by itself in the order of its list.
_PUT_AWAY = {"groups": ["name"], "modules": ["site_id", "path"], "locations": ["search_text", "id"]}
_ANCHORS = (
    "anchor_emails varchar(500) default '' not null"
    " constraint ck_account_settings_anchors_within check (length(anchor_emails) <= 500)"
)


def _written(table: str, column: str) -> str:
    name, kind = column.split()[:2]
    if "{no}" in column:
        return column.format(no=_NO[op.get_context().dialect.name])
    if "{moment}" in column:
        return f"{name} {_MOMENT[op.get_context().dialect.name]}"
    if column.endswith("}"):
        other = column.rpartition("{")[2][:-1]
        return f"{name} {kind} constraint fk_{table}_{name}_{other} references {other} (id)"
    return column


def _regrant(column: str, before: str, after: str) -> None:
    """One role, site and organisation to a person at most; the few rows of grants are written anew on SQLite."""
    with op.batch_alter_table("staff_grants", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_constraint(f"uq_staff_grants_{before.replace(' ', '_')}", type_="unique")
        if column in after.split():
            table.add_column(sa.Column(column, sa.Integer(), nullable=True))
            table.create_foreign_key("fk_staff_grants_organisation_id_organisations", "organisations", [column], ["id"])
        else:
            table.drop_constraint("fk_staff_grants_organisation_id_organisations", type_="foreignkey")
            table.drop_column(column)
        table.create_unique_constraint(f"uq_staff_grants_{after.replace(' ', '_')}", after.split())


def downgrade() -> None:
    _regrant("organisation_id", "staff_id role site_id organisation_id", "staff_id role site_id")
    op.drop_index("ix_outbox_messages_recipient", "outbox_messages")
    op.drop_index("ix_profiles_tier_id", "profiles")
    op.drop_index("ix_profiles_erased_at", "profiles")
    op.drop_index("ix_profiles_import_run_id", "profiles")
    op.drop_index("ix_rewards_status", "rewards")
    op.execute("alter table account_settings drop column anchor_emails")
    op.execute("alter table account_settings drop column is_second_factor_optional")
    for table, columns in _COLUMNS.items():
        with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch:
            for column in columns:
                if " CHECK " in column:
                    batch.drop_constraint(batch.f(column.split()[3]), type_="check")
                batch.drop_column(column.split()[0])
    for name in (
        "saved_views",
        "entry_days",
        "name_slips",
        "profile_terms",
        "profile_merges",
        "profile_identities",
        "memberships",
        "completions",
        "import_changes",
        "locations",
        "recovery_codes",
        "organisations",
        "modules",
        "export_runs",
        "tiers",
        "organisation_types",
        "groups",
        "audit_anchors",
        "attribute_definitions",
    ):
        op.drop_table(name)
