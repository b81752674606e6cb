"""due dates of cards

Revision ID: 20260206_101500_card_due_dates
Revises: c41d9be2705a
Create Date: 2026-02-06 10:15:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "20260206_101500_card_due_dates"
down_revision = "c41d9be2705a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cards", sa.Column("due_at", sa.DateTime(timezone=True), nullable=True), schema="boards")
    op.create_check_constraint(
        "ck_cards_due_after_creation",
        "cards",
        "due_at IS NULL OR due_at >= created_at",
        schema="boards",
        postgresql_not_valid=True,
    )


def downgrade() -> None:
    op.drop_constraint("ck_cards_due_after_creation", "cards", type_="check", schema="boards")
    op.drop_column("cards", "due_at", schema="boards")
