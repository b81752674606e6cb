"""initial schema

Revision ID: 20260105_090000_initial_schema
Revises:
Create Date: 2026-01-05 09:00:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "20260105_090000_initial_schema"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA boards")
    op.execute('CREATE EXTENSION IF NOT EXISTS "uuid-ossp" WITH SCHEMA public')
    op.create_table(
        "tenants",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
        sa.Column("slug", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("slug", name="uq_tenants_slug"),
        schema="boards",
    )
    op.create_table(
        "members",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.String(255), nullable=False),
        sa.Column("display_name", sa.String(120), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["boards.tenants.id"], name="fk_members_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_members"),
        sa.UniqueConstraint("tenant_id", "email", name="uq_members_tenant_id_email"),
        schema="boards",
    )
    op.create_table(
        "boards",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("title", sa.String(120), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["boards.tenants.id"], name="fk_boards_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_boards"),
        schema="boards",
    )
    op.create_index("ix_boards_tenant_id", "boards", ["tenant_id"], schema="boards")


def downgrade() -> None:
    op.drop_index("ix_boards_tenant_id", table_name="boards", schema="boards")
    op.drop_table("boards", schema="boards")
    op.drop_table("members", schema="boards")
    op.drop_table("tenants", schema="boards")
    op.execute('DROP EXTENSION "uuid-ossp"')
    op.execute("DROP SCHEMA boards")
