"""attachments of cards

Revision ID: attachments
Revises: c41d9be2705a
Create Date: 2026-02-03 09:12:30+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "attachments"
down_revision = "c41d9be2705a"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "attachments",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("file_name", sa.String(255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("size_bytes > 0", name="ck_attachments_size_positive"),
        sa.ForeignKeyConstraint(["card_id"], ["boards.cards.id"], name="fk_attachments_card_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_attachments"),
        schema="boards",
    )
    op.create_index("ix_attachments_card_id", "attachments", ["card_id"], schema="boards")


def downgrade() -> None:
    op.drop_index("ix_attachments_card_id", table_name="attachments", schema="boards")
    op.drop_table("attachments", schema="boards")
