"""every card has a priority

Revision ID: 3c9f7712be08
Revises: 20260402_140000_card_priority
Create Date: 2026-04-09 09:25:31+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "3c9f7712be08"
down_revision = "20260402_140000_card_priority"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint(
        "ck_cards_priority_set", "cards", "priority IS NOT NULL", schema="boards", postgresql_not_valid=True
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE boards.cards VALIDATE CONSTRAINT ck_cards_priority_set")
    # The valid check spares SET NOT NULL the scan of the table.
    op.alter_column("cards", "priority", schema="boards", existing_type=sa.SmallInteger(), nullable=False)
    op.drop_constraint("ck_cards_priority_set", "cards", type_="check", schema="boards")


def downgrade() -> None:
    op.alter_column("cards", "priority", schema="boards", existing_type=sa.SmallInteger(), nullable=True)
