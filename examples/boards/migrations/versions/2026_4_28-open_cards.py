"""view of open cards

Revision ID: open_cards
Revises: a7e5d3c19b60
Create Date: 2026-04-28 08:55:12+00:00
"""
from alembic import op

revision = "open_cards"
down_revision = "a7e5d3c19b60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE VIEW boards.open_cards AS
        SELECT id, board_id, title, status, due_at, priority FROM boards.cards
        WHERE status NOT IN ('done', 'archived')
        """
    )


def downgrade() -> None:
    op.execute("DROP VIEW boards.open_cards")
