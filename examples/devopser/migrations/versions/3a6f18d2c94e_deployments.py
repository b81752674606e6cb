"""deployments

Revision ID: 3a6f18d2c94e
Revises: 27b90c5de1fa
Create Date: 2026-01-20 08:45:55.000000
"""
from alembic import op
import sqlalchemy as sa

revision = "3a6f18d2c94e"
down_revision = "27b90c5de1fa"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "deployments",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("environment_id", sa.Integer(), nullable=False),
        sa.Column("commit_sha", sa.String(length=40), nullable=False),
        sa.Column("deployed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["environment_id"],
            ["environments.id"],
            name=op.f("fk_deployments_environment_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )


def downgrade():
    op.drop_table("deployments")
