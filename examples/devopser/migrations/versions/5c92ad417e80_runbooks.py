"""runbooks of services

Revision ID: 5c92ad417e80
Revises: 3a6f18d2c94e
Create Date: 2026-02-04 16:02:33.000000
"""
from alembic import op
import sqlalchemy as sa

revision = "5c92ad417e80"
down_revision = "3a6f18d2c94e"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.add_column(sa.Column("runbook_url", sa.String(length=500), nullable=True))


def downgrade():
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.drop_column("runbook_url")
