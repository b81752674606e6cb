"""tiers of services, filled in batches

Revision ID: 85d1c63fe7a9
Revises: 74fa9e20b3c6
Create Date: 2026-03-02 10:05:12.000000
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "85d1c63fe7a9"
down_revision = "74fa9e20b3c6"
branch_labels = None
depends_on = None

TIERS = ("internal", "standard", "critical")
BATCH = """
    UPDATE services SET tier = 'standard'
    WHERE id IN (SELECT id FROM services WHERE tier IS NULL LIMIT 5000)
"""


def upgrade():
    sa.Enum(*TIERS, name="service_tier").create(op.get_bind())
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("tier", postgresql.ENUM(*TIERS, name="service_tier", create_type=False), nullable=True)
        )
        batch_op.alter_column("tier", server_default="standard")

    with op.get_context().autocommit_block():
        connection = op.get_bind()
        while connection.execute(sa.text(BATCH)).rowcount > 0:
            pass


def downgrade():
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.drop_column("tier")

    sa.Enum(name="service_tier").drop(op.get_bind())
