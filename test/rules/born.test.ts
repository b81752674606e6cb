import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { said } from "./said";

beforeAll(() => loadModule());

const cases: Readonly<Record<string, readonly [upgrade: string, expected: readonly string[]]>> = {
  "a table that was made here goes again": ['op.create_table("t")\nop.drop_table("t")', []],
  "every row of a new table": [
    't = op.create_table("t")\nop.bulk_insert(t, [])\nop.execute(t.update().values(id=2))',
    [],
  ],
  "a table may have been there": [
    'op.execute("CREATE TABLE IF NOT EXISTS users (id int)")\nop.drop_column("users", "n")',
    ["ban-drop-column column users.n"],
  ],
  "a table may have been there, by Alembic": [
    'op.create_table("users", if_not_exists=True)\nop.drop_column("users", "n")',
    ["ban-drop-column column users.n"],
  ],
  "a column may have been there": [
    'op.execute("ALTER TABLE users ADD COLUMN IF NOT EXISTS n int")\nop.drop_column("users", "n")',
    ["ban-drop-column column users.n"],
  ],
  "an index may have been there": [
    'op.create_index("i", "users", ["n"], if_not_exists=True, postgresql_concurrently=True)\nop.drop_index("i")',
    ["require-concurrent-index-deletion index i"],
  ],
  "an index of a new table was not there": [
    'op.create_table("t")\nop.create_index("i", "t", ["n"], if_not_exists=True)\nop.drop_index("i")',
    [],
  ],
  "the same name in another schema": [
    'op.create_table("org", schema="archive")\nop.drop_table("org", schema="public")',
    ["ban-drop-table table public.org"],
  ],
  "the same name without a schema": ['op.create_table("org", schema="archive")\nop.drop_table("org")', []],
  "a new table under another name": [
    'op.create_table("g")\nop.rename_table("g", "groups")\nop.drop_column("groups", "n")',
    [],
  ],
  "an old table that takes the name of a new one": [
    'op.create_table("g")\nop.rename_table("g", "users")\nop.drop_table("g")',
    ["ban-drop-table table g"],
  ],
  "a new column of a table with another name": [
    'op.add_column("users", sa.Column("n", sa.Integer))\nop.rename_table("users", "people")\nop.drop_column("people", "n")',
    ["ban-rename-table table users"],
  ],
};

describe("what a revision makes itself", () => {
  test.each(Object.entries(cases))("%s", (_, [upgrade, expected]) => {
    expect(said(upgrade)).toEqual(expected);
  });
});
