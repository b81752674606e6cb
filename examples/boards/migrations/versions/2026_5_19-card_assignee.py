"""a card has an assignee

Revision ID: 0b64fd2e98a1
Revises: 20260511_120000_tenant_policy
Create Date: 2026-05-19 11:11:49+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "0b64fd2e98a1"
down_revision = "20260511_120000_tenant_policy"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cards", sa.Column("assignee_id", sa.Uuid(), nullable=True), schema="boards")
    op.create_foreign_key(
        "fk_cards_assignee_id",
        "cards",
        "members",
        ["assignee_id"],
        ["id"],
        source_schema="boards",
        referent_schema="boards",
        ondelete="SET NULL",
        postgresql_not_valid=True,
    )
    with op.get_context().autocommit_block():
        op.execute("ALTER TABLE boards.cards VALIDATE CONSTRAINT fk_cards_assignee_id")
        op.create_index(
            "ix_cards_assignee_id", "cards", ["assignee_id"], schema="boards", postgresql_concurrently=True
        )


def downgrade() -> None:
    op.drop_index("ix_cards_assignee_id", table_name="cards", schema="boards")
    op.drop_constraint("fk_cards_assignee_id", "cards", type_="foreignkey", schema="boards")
    op.drop_column("cards", "assignee_id", schema="boards")
