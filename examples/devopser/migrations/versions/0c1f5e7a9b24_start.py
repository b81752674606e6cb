"""initial, empty: the database exists before its first table

Revision ID: 0c1f5e7a9b24
Revises: 
Create Date: 2026-01-07 09:00:00.000000
"""
from alembic import op

revision = "0c1f5e7a9b24"
down_revision = None
branch_labels = None
depends_on = None


def upgrade():
    pass


def downgrade():
    pass
