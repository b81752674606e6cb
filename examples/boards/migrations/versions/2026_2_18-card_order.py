"""cards of a board in their order

Revision ID: card_order
Revises: 5e0c6d18f742
Create Date: 2026-02-18 13:37:55+00:00
"""
from alembic import op

revision = "card_order"
down_revision = "5e0c6d18f742"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_cards_board_id_position",
            "cards",
            ["board_id", "position"],
            schema="boards",
            postgresql_concurrently=True,
        )
        op.drop_index("ix_cards_board_id", table_name="cards", schema="boards", postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.create_index("ix_cards_board_id", "cards", ["board_id"], schema="boards", postgresql_concurrently=True)
        op.drop_index("ix_cards_board_id_position", table_name="cards", schema="boards", postgresql_concurrently=True)
