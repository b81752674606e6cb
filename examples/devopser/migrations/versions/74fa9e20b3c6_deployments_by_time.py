"""deployments of an environment by time

Revision ID: 74fa9e20b3c6
Revises: 6e35b1c80fd7
Create Date: 2026-02-17 13:40:26.000000
"""
from alembic import op

revision = "74fa9e20b3c6"
down_revision = "6e35b1c80fd7"
branch_labels = None
depends_on = None


def upgrade():
    with op.get_context().autocommit_block():
        op.create_index(
            "ix_deployments_environment_id_deployed_at",
            "deployments",
            ["environment_id", "deployed_at"],
            unique=False,
            postgresql_concurrently=True,
        )


def downgrade():
    with op.get_context().autocommit_block():
        op.drop_index(
            "ix_deployments_environment_id_deployed_at",
            table_name="deployments",
            postgresql_concurrently=True,
        )
