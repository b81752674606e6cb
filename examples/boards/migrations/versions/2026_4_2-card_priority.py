"""priority of cards, filled in batches

Revision ID: 20260402_140000_card_priority
Revises: member_roles
Create Date: 2026-04-02 14:00:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "20260402_140000_card_priority"
down_revision = "member_roles"
branch_labels = None
depends_on = None

BATCH = """
    UPDATE boards.cards SET priority = CASE WHEN due_at IS NULL THEN 0 ELSE 1 END
    WHERE id IN (SELECT id FROM boards.cards WHERE priority IS NULL LIMIT 5000)
"""


def upgrade() -> None:
    op.add_column("cards", sa.Column("priority", sa.SmallInteger(), nullable=True), schema="boards")
    op.alter_column("cards", "priority", schema="boards", existing_type=sa.SmallInteger(), server_default="0")
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        while connection.execute(sa.text(BATCH)).rowcount > 0:
            pass


def downgrade() -> None:
    op.drop_column("cards", "priority", schema="boards")
