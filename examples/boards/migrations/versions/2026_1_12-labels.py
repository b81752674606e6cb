"""labels

Revision ID: labels
Revises: 8f3a61c07d2e
Create Date: 2026-01-12 10:05:43+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "labels"
down_revision = "8f3a61c07d2e"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "labels",
        sa.Column("id", sa.Uuid(), server_default=sa.text("uuid_generate_v4()"), nullable=False),
        sa.Column("board_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("colour", sa.String(7), server_default="#888888", nullable=False),
        sa.ForeignKeyConstraint(["board_id"], ["boards.boards.id"], name="fk_labels_board_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_labels"),
        sa.UniqueConstraint("board_id", "name", name="uq_labels_board_id_name"),
        schema="boards",
    )
    op.create_table(
        "card_labels",
        sa.Column("card_id", sa.Uuid(), nullable=False),
        sa.Column("label_id", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(["card_id"], ["boards.cards.id"], name="fk_card_labels_card_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["label_id"], ["boards.labels.id"], name="fk_card_labels_label_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("card_id", "label_id", name="pk_card_labels"),
        schema="boards",
    )
    op.create_index("ix_card_labels_label_id", "card_labels", ["label_id"], schema="boards")


def downgrade() -> None:
    op.drop_index("ix_card_labels_label_id", table_name="card_labels", schema="boards")
    op.drop_table("card_labels", schema="boards")
    op.drop_table("labels", schema="boards")
