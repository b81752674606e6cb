"""media type of attachments

Revision ID: d9017ab3c5e4
Revises: attachments
Create Date: 2026-02-10 11:30:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "d9017ab3c5e4"
down_revision = "attachments"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "attachments",
        sa.Column("media_type", sa.String(100), server_default="application/octet-stream", nullable=False),
        schema="boards",
    )


def downgrade() -> None:
    op.drop_column("attachments", "media_type", schema="boards")
