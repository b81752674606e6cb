"""handles of members

Revision ID: a7e5d3c19b60
Revises: 3c9f7712be08
Create Date: 2026-04-21 17:18:00+00:00
"""
from alembic import op
import sqlalchemy as sa

revision = "a7e5d3c19b60"
down_revision = "3c9f7712be08"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("members", sa.Column("handle", sa.String(40), nullable=True), schema="boards")
    with op.get_context().autocommit_block():
        op.create_index(
            "uq_members_tenant_id_handle",
            "members",
            ["tenant_id", "handle"],
            unique=True,
            schema="boards",
            postgresql_concurrently=True,
        )
    op.execute(
        "ALTER TABLE boards.members"
        " ADD CONSTRAINT uq_members_tenant_id_handle UNIQUE USING INDEX uq_members_tenant_id_handle"
    )


def downgrade() -> None:
    op.drop_constraint("uq_members_tenant_id_handle", "members", type_="unique", schema="boards")
    op.drop_column("members", "handle", schema="boards")
