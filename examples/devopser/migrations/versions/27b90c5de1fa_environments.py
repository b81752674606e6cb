"""environments

Revision ID: 27b90c5de1fa
Revises: 1d8e42b7f063
Create Date: 2026-01-14 15:31:07.000000
"""
from alembic import op
import sqlalchemy as sa

revision = "27b90c5de1fa"
down_revision = "1d8e42b7f063"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "environments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("service_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column(
            "kind",
            sa.Enum("development", "staging", "production", name="environment_kind"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["service_id"], ["services.id"], name=op.f("fk_environments_service_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_environments")),
        sa.UniqueConstraint("service_id", "name", name=op.f("uq_environments_service_id_name")),
    )


def downgrade():
    op.drop_table("environments")
    sa.Enum(name="environment_kind").drop(op.get_bind())
