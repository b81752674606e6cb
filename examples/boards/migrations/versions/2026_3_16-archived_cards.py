"""cards can be archived

Revision ID: f6b8e0134c7d
Revises: 9d20b6aa51c3
Create Date: 2026-03-16 12:00:00+00:00
"""
from alembic import op

revision = "f6b8e0134c7d"
down_revision = "9d20b6aa51c3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("ALTER TYPE boards.card_status ADD VALUE 'archived'")


def downgrade() -> None:
    # PostgreSQL cannot take a value out of an enum: the type is made again without it.
    op.execute("UPDATE boards.cards SET status = 'done' WHERE status = 'archived'")
    op.execute("ALTER TABLE boards.cards ALTER COLUMN status DROP DEFAULT")
    op.execute("ALTER TYPE boards.card_status RENAME TO card_status_with_archived")
    op.execute("CREATE TYPE boards.card_status AS ENUM ('todo', 'doing', 'done')")
    op.execute(
        "ALTER TABLE boards.cards ALTER COLUMN status TYPE boards.card_status USING status::text::boards.card_status"
    )
    op.execute("ALTER TABLE boards.cards ALTER COLUMN status SET DEFAULT 'todo'")
    op.execute("DROP TYPE boards.card_status_with_archived")
