"""cards and their status

Revision ID: 8f3a61c07d2e
Revises: 20260105_090000_initial_schema
Create Date: 2026-01-08 14:20:11+00:00
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "8f3a61c07d2e"
down_revision = "20260105_090000_initial_schema"
branch_labels = None
depends_on = None

card_status = postgresql.ENUM("todo", "doing", "done", name="card_status", schema="boards", create_type=False)


def upgrade() -> None:
    card_status.create(op.get_bind(), checkfirst=False)
    op.create_table(
        "cards",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
        sa.Column("board_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("body", sa.Text(), nullable=True),
        sa.Column("status", card_status, server_default="todo", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("position >= 0", name="ck_cards_position_not_negative"),
        sa.ForeignKeyConstraint(["board_id"], ["boards.boards.id"], name="fk_cards_board_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["author_id"], ["boards.members.id"], name="fk_cards_author_id", ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name="pk_cards"),
        schema="boards",
    )
    op.create_index("ix_cards_board_id", "cards", ["board_id"], schema="boards")


def downgrade() -> None:
    op.drop_index("ix_cards_board_id", table_name="cards", schema="boards")
    op.drop_table("cards", schema="boards")
    card_status.drop(op.get_bind(), checkfirst=False)
