"""a tenant sees its own boards

Revision ID: 20260511_120000_tenant_policy
Revises: open_cards
Create Date: 2026-05-11 12:00:00+00:00
"""
from alembic import op

revision = "20260511_120000_tenant_policy"
down_revision = "open_cards"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        DO $$
        BEGIN
            IF NOT EXISTS (
                SELECT FROM pg_policies
                WHERE schemaname = 'boards' AND tablename = 'boards' AND policyname = 'tenant_isolation'
            ) THEN
                CREATE POLICY tenant_isolation ON boards.boards
                USING (tenant_id = nullif(current_setting('boards.tenant_id', true), '')::uuid);
            END IF;
        END
        $$
        """
    )
    op.execute("ALTER TABLE boards.boards ENABLE ROW LEVEL SECURITY")


def downgrade() -> None:
    op.execute("ALTER TABLE boards.boards DISABLE ROW LEVEL SECURITY")
    op.execute("DROP POLICY tenant_isolation ON boards.boards")
