"""every service has a tier

Revision ID: 96c8042d5ba3
Revises: 85d1c63fe7a9
Create Date: 2026-03-09 14:48:59.000000
"""
from alembic import op

revision = "96c8042d5ba3"
down_revision = "85d1c63fe7a9"
branch_labels = None
depends_on = None


def upgrade():
    op.create_check_constraint(
        "ck_services_tier_set", "services", "tier IS NOT NULL", postgresql_not_valid=True
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE services VALIDATE CONSTRAINT ck_services_tier_set")
    # The valid check spares SET NOT NULL the scan of the table.
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.alter_column("tier", nullable=False)
        batch_op.drop_constraint("ck_services_tier_set", type_="check")


def downgrade():
    with op.batch_alter_table("services", schema=None) as batch_op:
        batch_op.alter_column("tier", nullable=True)
