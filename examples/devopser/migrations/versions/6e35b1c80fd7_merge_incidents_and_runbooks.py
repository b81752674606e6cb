"""merge incidents and runbooks

Revision ID: 6e35b1c80fd7
Revises: 4b07e3f9a6d1, 5c92ad417e80
Create Date: 2026-02-05 09:15:00.000000
"""
from alembic import op

revision = "6e35b1c80fd7"
down_revision = ("4b07e3f9a6d1", "5c92ad417e80")
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
