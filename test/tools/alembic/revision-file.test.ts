import { describe, expect, test } from "vitest";
import { readRevisionFile } from "../../../src/tools/alembic/revision-file";

const file = "migrations/versions/0002_status.py";

function read(text: string) {
  return readRevisionFile(file, Buffer.from(text));
}

const status = `\uFEFF"""Orders have a status.

Revision ID: 0002
"""\r
from alembic import op
import sqlalchemy as sa

# a comment
revision: str = "0002"
down_revision = ("0001", "side")
branch_labels = None
depends_on = ["x"]

TABLE = "orders"
INDEXES = ["ix_a", "ix_b"]
status = sa.Enum("new", "paid", name="order_status")


def upgrade() -> None:
    status.create(op.get_bind())
    with op.batch_alter_table(TABLE) as batch_op:
        batch_op.add_column(sa.Column("status", status))
    for name in INDEXES:
        op.create_index(name, TABLE, ["status"])
    _fill(1)


def downgrade():
    op.execute(f"UPDATE {TABLE} SET x = {len(TABLE)} WHERE y = 'z'")
    sa.Enum(name="order_status").drop(op.get_bind(), checkfirst=False)


def _fill(count):
    op.execute(
        "UPDATE orders "
        "SET status = 'new'"
    )

# the end
`;

test("a revision with all that is read of it", () => {
  const { revision, problems, bodyProblems } = read(status);
  expect([problems, bodyProblems()]).toEqual([[], []]);
  expect({ ...revision }).toEqual({
    id: "0002",
    parents: ["0001", "side"],
    dependsOn: ["x"],
    labels: [],
    location: { file, line: 9, column: 1 },
    message: "Orders have a status.",
    upgrade: {
      file,
      line: 19,
      column: 1,
      endLine: 25,
      empty: false,
      irreversible: undefined,
      calls: [
        { line: 20, column: 5, name: "status.create", literals: ["new", "paid", "order_status"] },
        { line: 20, column: 19, name: "op.get_bind", literals: [] },
        { line: 21, column: 10, name: "op.batch_alter_table", literals: ["orders"] },
        {
          line: 22,
          column: 9,
          name: "batch_op.add_column",
          literals: ["orders", "status", "new", "paid", "order_status"],
        },
        { line: 22, column: 29, name: "sa.Column", literals: ["status", "new", "paid", "order_status"] },
        { line: 24, column: 9, name: "op.create_index", literals: ["ix_a", "ix_b", "orders", "status"] },
        { line: 25, column: 5, name: "_fill", literals: [] },
        { line: 34, column: 5, name: "op.execute", literals: ["UPDATE orders SET status = 'new'"] },
      ],
    },
    downgrade: {
      file,
      line: 28,
      column: 1,
      endLine: 30,
      empty: false,
      irreversible: undefined,
      calls: [
        { line: 29, column: 5, name: "op.execute", literals: ["UPDATE ", " SET x = ", " WHERE y = 'z'"] },
        { line: 29, column: 42, name: "len", literals: ["orders"] },
        { line: 30, column: 5, name: "sa.Enum.drop", literals: ["order_status"] },
        { line: 30, column: 5, name: "sa.Enum", literals: ["order_status"] },
        { line: 30, column: 39, name: "op.get_bind", literals: [] },
      ],
    },
  });
});

test.for([
  ["behind a statement on its line", "x = 1; revision = 'b'\n"],
  ["in parentheses", "(revision) = 'b'\n"],
  ["below an if, behind another", "if True:\n    x = 1; revision = 'b'\n"],
  ["by a function", "def revision(): pass\n"],
  ["by an import", "from ids import revision\n"],
])("the id that is bound again behind the functions, %s", ([, late], { expect }) => {
  const head = "revision = 'a'\ndown_revision = None\ndef upgrade():\n    pass\n";
  expect(read(head).revision?.id).toBe("a");
  expect(read(head + late).revision?.id).not.toBe("a");
});

test.for(['revision: a b = "x"', 'revision: 1x = "x"'])(
  "%s: that the line does not parse, not that there is no id",
  (line, { expect }) => {
    const { revision, problems } = read(
      `"""one"""\n\n${line}\ndown_revision = None\n\n\ndef upgrade():\n    pass\n`,
    );
    expect([revision, problems]).toMatchObject([undefined, [{ kind: "syntax", line: 3 }]]);
  },
);

describe("functions", () => {
  const header = 'revision = "a"\ndown_revision = None\n';

  test("that are not there", () => {
    const { revision } = read(header);
    expect([revision?.upgrade, revision?.downgrade]).toEqual([undefined, undefined]);
  });

  test("that call each other are each opened once", () => {
    const { revision } = read(`${header}def a():\n  b()\ndef b():\n  a()\ndef upgrade():\n  a()\n`);
    expect(revision?.upgrade?.calls?.map(({ line, name }) => `${line} ${name}`)).toEqual([
      "8 a",
      "4 b",
      "6 a",
    ]);
    expect(revision?.upgrade?.empty).toBe(false);
  });

  test("of Alembic's multidb template", () => {
    const { revision } = read(
      `${header}def upgrade(engine_name):\n    globals()["upgrade_%s" % engine_name]()\n\ndef upgrade_main():\n    pass\n`,
    );
    expect(revision?.upgrade).toMatchObject({ empty: false, line: 3, endLine: 4 });
  });

  test("that are defined twice: the last counts", () => {
    const { revision } = read(`${header}def downgrade():\n    drop()\n\ndef downgrade():\n    pass\n`);
    expect(revision?.downgrade).toMatchObject({ empty: true, line: 6 });
  });

  test("a file cut off in the middle", () => {
    const { revision, bodyProblems } = read(`${header}def upgrade():\n    op.execute("x\n`);
    expect(revision?.id).toBe("a");
    expect(bodyProblems()).toEqual([
      { kind: "syntax", file, line: 5, column: 1, text: `${file} does not parse as Python at line 5.` },
    ]);
    expect(revision?.upgrade?.empty).toBe(false);
  });
});

describe("what is not constant", () => {
  test("the id", () => {
    expect(read('import os\nrevision = os.environ["X"]\ndown_revision = None\n')).toMatchObject({
      revision: undefined,
      problems: [
        {
          kind: "not-a-constant",
          file,
          line: 2,
          column: 1,
          text: `revision in ${file} is not a constant string.`,
        },
      ],
    });
  });

  test("the parent", () => {
    const { revision, problems } = read('revision = "b"\ndown_revision = parent()\n');
    expect([revision?.id, revision?.parents]).toEqual(["b", []]);
    expect(problems).toEqual([
      {
        kind: "not-a-constant",
        file,
        line: 2,
        column: 1,
        text: `down_revision in ${file} is not a constant.`,
      },
    ]);
  });
});
