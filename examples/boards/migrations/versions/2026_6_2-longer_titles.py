"""longer titles of boards

Revision ID: 20260602_093000_longer_titles
Revises: c0ffee5ca1ab
Create Date: 2026-06-02 09:30:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "20260602_093000_longer_titles"
down_revision = "c0ffee5ca1ab"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column(
        "boards", "title", schema="boards", existing_type=sa.String(120), type_=sa.String(200), existing_nullable=False
    )


def downgrade() -> None:
    op.alter_column(
        "boards",
        "title",
        schema="boards",
        existing_type=sa.String(200),
        type_=sa.String(120),
        existing_nullable=False,
        postgresql_using="left(title, 120)",
    )
