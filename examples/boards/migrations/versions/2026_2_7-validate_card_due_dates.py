"""validate the check of due dates

Revision ID: 2b7e84f1a930
Revises: 20260206_101500_card_due_dates
Create Date: 2026-02-07 08:00:19+00:00
"""
from alembic import op

revision = "2b7e84f1a930"
down_revision = "20260206_101500_card_due_dates"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE boards.cards VALIDATE CONSTRAINT ck_cards_due_after_creation")


def downgrade() -> None:
    op.drop_constraint("ck_cards_due_after_creation", "cards", type_="check", schema="boards")
    op.create_check_constraint(
        "ck_cards_due_after_creation",
        "cards",
        "due_at IS NULL OR due_at >= created_at",
        schema="boards",
        postgresql_not_valid=True,
    )
