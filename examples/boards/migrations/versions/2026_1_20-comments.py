"""comments on cards

Revision ID: c41d9be2705a
Revises: labels
Create Date: 2026-01-20 16:41:02+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "c41d9be2705a"
down_revision = "labels"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "comments",
        sa.Column("id", sa.BigInteger(), autoincrement=True, nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["boards.cards.id"], name="fk_comments_card_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["author_id"], ["boards.members.id"], name="fk_comments_author_id", ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_comments"),
        schema="boards",
    )
    op.create_index("ix_comments_card_id", "comments", ["card_id"], schema="boards")


def downgrade() -> None:
    op.drop_index("ix_comments_card_id", table_name="comments", schema="boards")
    op.drop_table("comments", schema="boards")
