import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import { contextOf } from "../../src/rules/context";
import { requireDowngrade } from "../../src/rules/require-downgrade";
import { readRevisionFile } from "../../src/tools/alembic/revision-file";

beforeAll(() => loadModule());

const add = 'op.add_column("t", sa.Column("a", sa.Integer))';
const data = 'op.execute("INSERT INTO t VALUES (1)")';

function indented(body: string): string {
  return body.replace(/^/gm, "    ");
}

/** What the rule says of a revision with these bodies; `downgrade` undefined leaves the function out. */
function said(upgrade: string, downgrade: string | undefined, more = ""): string[] {
  const text = `${more}
from alembic import op, context
import sqlalchemy as sa
import logging
revision = "r"
down_revision = None
logger = logging.getLogger(__name__)

def _nothing():
    pass

def _undo():
    op.drop_column("t", "a")

def upgrade():
${indented(upgrade)}
${downgrade === undefined ? "" : `\ndef downgrade():\n${indented(downgrade)}\n`}`;
  const file = readRevisionFile("versions/r.py", Buffer.from(text));
  if (file.revision === undefined) throw new Error(file.problems[0]?.text);
  return requireDowngrade.check(contextOf(file.revision, file.body(), true)).map(({ what }) => what);
}

const schema = ["The downgrade of revision r does nothing, and upgrade() changes the schema."];

describe("a downgrade that does nothing", () => {
  test.each([
    "pass",
    "...",
    '"""Nothing to see."""',
    "return",
    "return None",
    "# op.drop_column\npass",
    "print('gone')\nlogger.info('really')",
    "_nothing()",
    "if False:\n    _undo()",
    "_nothing()\nreturn\n_undo()",
    'op.execute("")',
    'op.execute("SELECT 1")',
    'op.execute("-- DROP TABLE t")',
    'op.execute("SET LOCAL lock_timeout = 1; ANALYZE t")',
    "conn = op.get_bind()",
    "try:\n    pass\nexcept Exception:\n    pass",
    "with op.batch_alter_table('t') as batch:\n    pass",
    "for _ in []:\n    pass",
    "x = 1; del x",
  ])("%s", (downgrade) => {
    expect(said(add, downgrade)).toEqual(schema);
  });

  test("is missing", () => {
    expect(said(add, undefined)).toEqual(["Revision r has no function downgrade()."]);
  });

  test("after a change of data asks for a reason", () => {
    expect(said(data, "pass")).toEqual([
      "The downgrade of revision r does nothing, and upgrade() changes data.",
    ]);
    expect(said(data, "pass  # migration-gate: irreversible because it is a correction")).toEqual([]);
  });

  const validates = 'op.execute("ALTER TABLE t VALIDATE CONSTRAINT c")';

  test("is right after nothing but VALIDATE CONSTRAINT, and not after more", () => {
    expect(said(validates, "pass")).toEqual([]);
    expect(said(`op.execute("SET lock_timeout = 1")\n${validates}`, "pass")).toEqual([]);
    expect(said(`${validates}\n${add}`, "pass")).toEqual(schema);
    expect(said(add, validates)).toEqual([]);
  });

  test.each(["pass", 'op.execute("ANALYZE t")', 'op.execute("SELECT 1")', "_nothing()"])(
    "is right where upgrade does nothing either: %s",
    (upgrade) => {
      expect(said(upgrade, "pass")).toEqual([]);
    },
  );
});

describe("a downgrade that cannot be", () => {
  test.each([
    'raise NotImplementedError("the rows are gone")',
    'print("no")\nraise NotImplementedError("the rows are gone")',
    "# migration-gate: irreversible because the rows are gone\npass",
    "pass  # migration-gate: irreversible because the rows are gone",
  ])("says why: %s", (downgrade) => {
    expect(said(add, downgrade)).toEqual([]);
  });

  test("says why above the function, or at the top of the file", () => {
    const comment = "# migration-gate: irreversible because the rows are gone";
    expect(said(`${add}\n`, "pass", comment)).toEqual([]);
  });

  test.each([
    "raise NotImplementedError",
    "raise NotImplementedError()",
    'raise NotImplementedError("")',
    "pass  # migration-gate: irreversible",
    "pass  # migration-gate: irreversible because",
  ])("does not: %s", (downgrade) => {
    expect(said(add, downgrade)).toEqual(["Revision r says that it cannot be undone, and not why."]);
  });
});

describe("a downgrade that does something", () => {
  test.each([
    "_undo()",
    "for s in ['DROP TABLE a']:\n    op.execute(s)",
    "if context.is_offline_mode():\n    return\n_undo()",
  ])("%s", (downgrade) => {
    expect(said(add, downgrade)).toEqual([]);
  });
});
