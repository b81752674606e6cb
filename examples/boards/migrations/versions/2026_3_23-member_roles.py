"""roles of members

Revision ID: member_roles
Revises: f6b8e0134c7d
Create Date: 2026-03-23 10:44:08+00:00
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "member_roles"
down_revision = "f6b8e0134c7d"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE TYPE public.member_role AS ENUM ('viewer', 'editor', 'owner')")
    op.add_column(
        "members",
        sa.Column(
            "role",
            postgresql.ENUM(name="member_role", schema="public", create_type=False),
            server_default="editor",
            nullable=False,
        ),
        schema="boards",
    )


def downgrade() -> None:
    op.drop_column("members", "role", schema="boards")
    op.execute("DROP TYPE public.member_role")
