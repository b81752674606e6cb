"""when a card changed last

Revision ID: 9d20b6aa51c3
Revises: 20260301_083000_default_tenant
Create Date: 2026-03-04 15:03:27+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "9d20b6aa51c3"
down_revision = "20260301_083000_default_tenant"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "cards",
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        schema="boards",
    )
    op.execute(
        """
        CREATE FUNCTION public.touch_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.updated_at := now();
            RETURN NEW;
        END
        $$
        """
    )
    op.execute(
        """
        CREATE TRIGGER cards_touch_updated_at BEFORE UPDATE ON boards.cards
        FOR EACH ROW EXECUTE FUNCTION public.touch_updated_at()
        """
    )


def downgrade() -> None:
    op.execute("DROP TRIGGER cards_touch_updated_at ON boards.cards")
    op.execute("DROP FUNCTION public.touch_updated_at()")
    op.drop_column("cards", "updated_at", schema="boards")
