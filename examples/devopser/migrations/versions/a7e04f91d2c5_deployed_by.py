"""who deployed

Revision ID: a7e04f91d2c5
Revises: 96c8042d5ba3
Create Date: 2026-03-18 09:27:41.000000
"""
from alembic import op
import sqlalchemy as sa

revision = "a7e04f91d2c5"
down_revision = "96c8042d5ba3"
branch_labels = None
depends_on = None


def upgrade():
    with op.batch_alter_table("deployments", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deployed_by", sa.String(length=80), nullable=True))


def downgrade():
    with op.batch_alter_table("deployments", schema=None) as batch_op:
        batch_op.drop_column("deployed_by")
