import { describe, expect, test } from "vitest";
import { meaningOf } from "../../../src/tools/alembic/python/meaning";

const revision = `"""make users"""
from alembic import op
import sqlalchemy as sa

revision = 'a1'
down_revision = None


def upgrade():
    op.create_table('users', sa.Column('id', sa.Integer(), nullable=False), sa.Column('name', sa.Text))
    op.execute("UPDATE users SET name = 'x' WHERE (id + 1) * 2 > 3")


def downgrade():
    pass
`;

const reformatted = `# Copyright
"""Make users.

Revision ID: a1
"""
from __future__ import annotations

from typing import Sequence, Union

import sqlalchemy as sa
from alembic import op  # noqa

revision: str = "a1"
down_revision: Union[str, None] = (None)


def upgrade() -> None:
    """Go up."""
    op.create_table(
        "users",
        sa.Column("id", sa.Integer(), nullable=False),  # the key
        sa.Column("name", sa.Text),
    )
    op.execute("UPDATE users SET name = \\'x\\' WHERE (id + 1) * 2 > 3")


def downgrade() -> None:
    """Nothing."""
`;

const of = (text: string) => meaningOf(Buffer.from(text));

test("formatting, quotes, comments, docstrings, hints and the order of imports change no meaning", () => {
  expect(of(reformatted)).toBe(of(revision));
  expect(of(revision.replaceAll("\n", "\r\n"))).toBe(of(revision));
});

test.each([
  ["x = Annotated[str, int]", "x = Annotated[\n    str,\n    int,  # last\n]"],
  ["x = f'a {b!r}'", 'x = f"a {b!r}"'],
  ["import a\nimport b\na()", "import a\na()"],
  ["from a import b, c\nc()", "from a import (\n    c,\n)\nc()"],
  ["from a import b\ndef f(x: b): pass", "def f(x): pass"],
  ["def f():\n    import a\n    from b import c as d\n    g()", "def f():\n    g()"],
  ['op.execute("UPDATE t SET a = 1")', 'op.execute(\n    "UPDATE t "\n    # why\n    "SET a = 1"\n)'],
])("the same: %s", (one, other) => {
  expect(of(other)).toBe(of(one));
});

test.each([
  ["x = y[a]", "x = y[a,]"],
  ['x = "{a}"', 'x = f"{a}"'],
  ['x = f"{a}"', 'x = rf"{a}"'],
  ['x = "a" "b"', 'x = "a b"'],
  ['x = "\\1" "2"', 'x = "\\12"'],
  ['x = "a" f"{b}"', 'x = "a" "{b}"'],
])("another: %s, %s", (one, other) => {
  expect(of(other)).not.toBe(of(one));
});

describe("an edit changes it", () => {
  test.each([
    ["'a1'", "'a2'"],
    ["down_revision = None", "down_revision = 'b'"],
    ["nullable=False", "nullable=True"],
    ["sa.Text)", "sa.Text, unique=True)"],
    ["'x' WHERE", "'y' WHERE"],
    ["(id + 1) * 2", "id + 1 * 2"],
    ["    pass", "    op.drop_table('users')"],
    ["import sqlalchemy as sa", "import other as sa"],
    ["def upgrade():\n", "def upgrade():\n    return\n"],
    ["'id', sa.Integer()", "('id'), sa.Integer"],
  ])("%s → %s", (before, after) => {
    expect(revision).toContain(before);
    expect(of(revision.replace(before, after))).not.toBe(of(revision));
  });

  test.each([
    ["x = (1,)", "x = (1)"],
    ["x = (a + b) * c", "x = a + b * c"],
    ["x = r'\\n'", "x = '\\n'"],
    ["x = b'a'", "x = 'a'"],
    ["x = f'{a}'", "x = f'{b}'"],
    ["f(a, b)", "f(a)(b)"],
    ["x = [1, 2]", "x = [12]"],
    ["x = 'a' 'b'", "x = 'a', 'b'"],
    ["if a:\n    b()\nc()", "if a:\n    b()\n    c()"],
    ["x: int = 1", "x: int"],
    ["from a import b\nb()", "from c import b\nb()"],
    ["from a import b as c\nc()", "from a import c\nc()"],
    ["import a\na()", "from a import a\na()"],
    ["import a.b\na.b()", "import a.c\na.b()"],
    ["from a import *\nb()", "b()"],
    ["from a import b\nx = 'b'", "x = 'b'"],
    ["@a\ndef f(): pass", "def f(): pass"],
    ["def f(a, b=1): pass", "def f(a, b=2): pass"],
    ["def f(*a): pass", "def f(a): pass"],
    ["x = not a", "x = a"],
  ])("%s is not %s", (one, other) => {
    expect(of(one)).not.toBe(of(other));
    expect(of(one)).toBeDefined();
    expect(of(other)).toBeDefined();
  });
});

test.each(["def upgrade(:", "x = '", "\0"])("of %j nothing is said", (text) => {
  expect(of(text)).toBeUndefined();
});

test("of what is nested very deep nothing is said, or it is said in time", () => {
  expect(["undefined", "string"]).toContain(typeof of(`x = ${"(".repeat(20_000)}1${")".repeat(20_000)}`));
});
