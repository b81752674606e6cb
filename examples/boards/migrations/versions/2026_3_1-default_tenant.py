"""default tenant

Revision ID: 20260301_083000_default_tenant
Revises: card_order
Create Date: 2026-03-01 08:30:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "20260301_083000_default_tenant"
down_revision = "card_order"
branch_labels = None
depends_on = None

tenants = sa.table("tenants", sa.column("slug", sa.String), sa.column("name", sa.String), schema="boards")


def upgrade() -> None:
    exists = sa.select(tenants.c.slug).where(tenants.c.slug == "default")
    if op.get_bind().scalar(exists) is None:
        op.bulk_insert(tenants, [{"slug": "default", "name": "Default"}])


def downgrade() -> None:
    # A default tenant that somebody uses stays; upgrade() accepts it.
    op.execute(
        """
        DELETE FROM boards.tenants t WHERE slug = 'default'
        AND NOT EXISTS (SELECT FROM boards.members m WHERE m.tenant_id = t.id)
        AND NOT EXISTS (SELECT FROM boards.boards b WHERE b.tenant_id = t.id)
        """
    )
