"""Batches that issue a benefit each to many people, and the mark of the batch on what it issued."""

import sqlalchemy as sa
from alembic import op

revision = "0006_benefit_batches"
down_revision = "0005_benefits"

_KEY = "fk_benefits_batch_id_benefit_batches"


def upgrade() -> None:
    op.create_table(
        "benefit_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("definition_id", sa.Integer(), nullable=False),
        sa.Column("site_id", sa.Integer(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "checking",
                "checked",
                "waiting",
                "issuing",
                "stopped",
                "issued",
                "undoing",
                "undone",
                "refused",
                "withdrawn",
                name="batchstatus",
                native_enum=False,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "audience",
            sa.Enum("list", "group", "condition", "file", name="audience", native_enum=False, length=32),
            nullable=False,
        ),
        sa.Column("listed", sa.Text(), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("condition", sa.JSON(), nullable=False),
        sa.Column("file_id", sa.Integer(), nullable=True),
        sa.Column("encoding", sa.String(length=20), nullable=False),
        sa.Column("issued_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("on_the_day", sa.Boolean(), nullable=False),
        sa.Column("excludes_holders", sa.Boolean(), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("people_count", sa.Integer(), nullable=False),
        sa.Column("bad_count", sa.Integer(), nullable=False),
        sa.Column("twice_count", sa.Integer(), nullable=False),
        sa.Column("expected_count", sa.Integer(), nullable=False),
        sa.Column("issued_count", sa.Integer(), nullable=False),
        sa.Column("passed_count", sa.Integer(), nullable=False),
        sa.Column("uncoded_count", sa.Integer(), nullable=False),
        sa.Column("voided_count", sa.Integer(), nullable=False),
        sa.Column("left_count", sa.Integer(), nullable=False),
        sa.Column("left", sa.JSON(), nullable=False),
        sa.Column("reached", sa.Integer(), nullable=False),
        sa.Column("problems", sa.JSON(), nullable=False),
        sa.Column("problem", sa.String(length=1000), nullable=False),
        sa.Column("rejects_file_id", sa.Integer(), nullable=True),
        sa.Column("job_id", sa.Integer(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(length=120), nullable=False),
        sa.Column("created_by_id", sa.Integer(), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("started_by", sa.String(length=120), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("undone_by", sa.String(length=120), nullable=False),
        sa.CheckConstraint(
            "issued_count >= 0 and passed_count >= 0 and issued_count + passed_count <= people_count",
            name=op.f("ck_benefit_batches_counts_fit"),
        ),
        sa.CheckConstraint("not on_the_day or starts_at is not null", name=op.f("ck_benefit_batches_has_its_day")),
        sa.CheckConstraint("voided_count + left_count <= issued_count", name=op.f("ck_benefit_batches_undone_fits")),
        sa.ForeignKeyConstraint(
            ["created_by_id"], ["staff_members.id"], name=op.f("fk_benefit_batches_created_by_id_staff_members")
        ),
        sa.ForeignKeyConstraint(
            ["definition_id"],
            ["benefit_definitions.id"],
            name=op.f("fk_benefit_batches_definition_id_benefit_definitions"),
        ),
        sa.ForeignKeyConstraint(["file_id"], ["stored_files.id"], name=op.f("fk_benefit_batches_file_id_stored_files")),
        sa.ForeignKeyConstraint(["group_id"], ["groups.id"], name=op.f("fk_benefit_batches_group_id_groups")),
        sa.ForeignKeyConstraint(["job_id"], ["jobs.id"], name=op.f("fk_benefit_batches_job_id_jobs")),
        sa.ForeignKeyConstraint(
            ["rejects_file_id"], ["stored_files.id"], name=op.f("fk_benefit_batches_rejects_file_id_stored_files")
        ),
        sa.ForeignKeyConstraint(["site_id"], ["sites.id"], name=op.f("fk_benefit_batches_site_id_sites")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_benefit_batches")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_benefit_batches_definition_id"), "benefit_batches", ["definition_id"], unique=False)
    op.create_index(op.f("ix_benefit_batches_site_id"), "benefit_batches", ["site_id"], unique=False)
    op.create_index(
        "ix_benefit_batches_waits",
        "benefit_batches",
        ["starts_at"],
        unique=False,
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.create_table(
        "benefit_batch_people",
        sa.Column("batch_id", sa.Integer(), nullable=False),
        sa.Column("profile_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "passed_over",
            sa.Enum("holds", "limit", "gone", name="passedover", native_enum=False, length=32),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["benefit_batches.id"], name=op.f("fk_benefit_batch_people_batch_id_benefit_batches")
        ),
        sa.PrimaryKeyConstraint("batch_id", "profile_id", name=op.f("pk_benefit_batch_people")),
    )
    op.create_index(
        "ix_benefit_batch_people_passed",
        "benefit_batch_people",
        ["batch_id", "profile_id"],
        unique=False,
        sqlite_where=sa.text("passed_over is not null"),
        postgresql_where=sa.text("passed_over is not null"),
    )
    if _is_sqlite():  # a new column needs no copy of the whole table
        op.execute(
            f"alter table benefits add column batch_id integer constraint {_KEY} references benefit_batches (id)"
        )
    else:
        op.add_column("benefits", sa.Column("batch_id", sa.Integer(), nullable=True))
        op.create_foreign_key(_KEY, "benefits", "benefit_batches", ["batch_id"], ["id"])
    op.create_index(
        "ix_benefits_batch_id_id",
        "benefits",
        ["batch_id", "id"],
        unique=False,
        sqlite_where=sa.text("batch_id is not null"),
        postgresql_where=sa.text("batch_id is not null"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_benefits_batch_id_id",
        table_name="benefits",
        sqlite_where=sa.text("batch_id is not null"),
        postgresql_where=sa.text("batch_id is not null"),
    )
    with op.batch_alter_table("benefits", table_kwargs={"sqlite_autoincrement": True}) as table:
        table.drop_column("batch_id")
    op.drop_index(
        "ix_benefit_batch_people_passed",
        table_name="benefit_batch_people",
        sqlite_where=sa.text("passed_over is not null"),
        postgresql_where=sa.text("passed_over is not null"),
    )
    op.drop_table("benefit_batch_people")
    op.drop_index(
        "ix_benefit_batches_waits",
        table_name="benefit_batches",
        sqlite_where=sa.text("status = 'waiting'"),
        postgresql_where=sa.text("status = 'waiting'"),
    )
    op.drop_index(op.f("ix_benefit_batches_site_id"), table_name="benefit_batches")
    op.drop_index(op.f("ix_benefit_batches_definition_id"), table_name="benefit_batches")
    op.drop_table("benefit_batches")


def _is_sqlite() -> bool:
    return op.get_bind().dialect.name == "sqlite"
