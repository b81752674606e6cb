"""teams and services

Revision ID: 1d8e42b7f063
Revises: 0c1f5e7a9b24
Create Date: 2026-01-07 10:12:40.000000
"""
from alembic import op
import sqlalchemy as sa

revision = "1d8e42b7f063"
down_revision = "0c1f5e7a9b24"
branch_labels = None
depends_on = None


def upgrade():
    op.create_table(
        "teams",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_teams")),
        sa.UniqueConstraint("name", name=op.f("uq_teams_name")),
    )
    op.create_table(
        "services",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("team_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("repository", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["teams.id"], name=op.f("fk_services_team_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_services")),
        sa.UniqueConstraint("team_id", "name", name=op.f("uq_services_team_id_name")),
    )


def downgrade():
    op.drop_table("services")
    op.drop_table("teams")
