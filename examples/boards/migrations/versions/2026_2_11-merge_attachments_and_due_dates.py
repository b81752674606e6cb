"""merge attachments and due dates

Revision ID: 5e0c6d18f742
Revises: d9017ab3c5e4, 2b7e84f1a930
Create Date: 2026-02-11 09:00:00+00:00
"""
from alembic import op

revision = "5e0c6d18f742"
down_revision = ("d9017ab3c5e4", "2b7e84f1a930")
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
