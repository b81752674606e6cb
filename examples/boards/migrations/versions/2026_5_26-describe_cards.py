"""descriptions of cards in the database

Revision ID: c0ffee5ca1ab
Revises: 0b64fd2e98a1
Create Date: 2026-05-26 07:40:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "c0ffee5ca1ab"
down_revision = "0b64fd2e98a1"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table_comment("cards", "One piece of work on a board", schema="boards")
    op.alter_column(
        "cards",
        "due_at",
        schema="boards",
        existing_type=sa.DateTime(timezone=True),
        comment="Last moment, in UTC",
        existing_comment=None,
    )
    op.alter_column(
        "cards",
        "priority",
        schema="boards",
        existing_type=sa.SmallInteger(),
        comment="0 is the lowest",
        existing_comment=None,
    )


def downgrade() -> None:
    op.alter_column(
        "cards",
        "priority",
        schema="boards",
        existing_type=sa.SmallInteger(),
        comment=None,
        existing_comment="0 is the lowest",
    )
    op.alter_column(
        "cards",
        "due_at",
        schema="boards",
        existing_type=sa.DateTime(timezone=True),
        comment=None,
        existing_comment="Last moment, in UTC",
    )
    op.drop_table_comment("cards", existing_comment="One piece of work on a board", schema="boards")
