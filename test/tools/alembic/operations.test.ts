import { loadModule } from "libpg-query";
import { beforeAll, describe, expect, test } from "vitest";
import type { Operation } from "../../../src/model/operation";
import { readRevisionFile } from "../../../src/tools/alembic/revision-file";
import { cpuSeconds } from "../../support/cpu";

beforeAll(() => loadModule());

const head = `from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = "r"
down_revision = None
`;

function indented(body: string): string {
  return body
    .split("\n")
    .map((line) => `    ${line}`)
    .join("\n");
}

function operations(upgrade: string, preamble = ""): readonly Operation[] {
  const text = `${head}${preamble}\ndef upgrade():\n${indented(upgrade)}\n\ndef downgrade():\n    pass\n`;
  return operationsOf(text);
}

function operationsOf(text: string): readonly Operation[] {
  return readRevisionFile("versions/r.py", Buffer.from(text)).body().operations;
}

/** `<kind> <names…>`, with `!` where it is outside of the transaction. */
function shown(operation: Operation): string {
  const { kind, origin: _, autocommit, ...rest } = operation;
  const parts = Object.values(rest).map((value: unknown) => {
    if (typeof value !== "object" || value === null) return String(value);
    if ("schema" in value && "name" in value) return [value.schema, value.name].filter(Boolean).join(".");
    if ("name" in value) return String(value.name);
    return JSON.stringify(value);
  });
  return `${autocommit ? "!" : ""}${[kind, ...parts].join(" ")}`;
}

const cases: Readonly<
  Record<string, readonly [upgrade: string, expected: readonly string[], preamble?: string]>
> = {
  "a call with constants": ['op.drop_column("t", "a", schema="s")', ["dropColumn s.t a"]],
  "names of parameters": ['op.drop_column(column_name="a", table_name="t")', ["dropColumn t a"]],
  "op under another name": [
    'o.drop_table("t")\nalembic.op.drop_table("u")\ndrop_table("v")',
    ["dropTable t", "dropTable u", "dropTable v"],
    "from alembic import op as o\nimport alembic\nfrom alembic.op import drop_table",
  ],
  "an import in the function": ['from alembic import op as here\nhere.drop_table("t")', ["dropTable t"]],
  "op under a name of its own": ['same = op\nsame.drop_table("t")', ["dropTable t"]],
  "a batch": [
    'with op.batch_alter_table("t", schema="s") as batch:\n    batch.drop_column("a")\n    batch.create_index("i", ["b"], unique=True)\n    batch.create_foreign_key("f", "u", ["b"], ["id"])',
    ["dropColumn s.t a", "createIndex i s.t true false", "addConstraint s.t f"],
  ],
  "SQL by all ways": [
    'op.execute("DROP TABLE a")\nop.execute(sa.text("DROP TABLE b"))\nop.get_bind().execute(sa.text("DROP TABLE c"))\nbind = op.get_bind()\nbind.exec_driver_sql("DROP TABLE d")\nsa.orm.Session(bind=bind).execute("DROP TABLE e")\nop.execute(sqltext="DROP TABLE f")',
    ["dropTable a", "dropTable b", "dropTable c", "dropTable d", "dropTable e", "dropTable f"],
  ],
  "SQL with parameters of SQLAlchemy": [
    "op.execute(sa.text(\"UPDATE t SET a = :value, b = now()::date WHERE c = ':x'\").bindparams(value=1))",
    ["dataChange update t true"],
  ],
  "statements that SQLAlchemy makes": [
    't = sa.table("t", sa.column("a"))\nop.execute(t.update().values(a=1))\nop.execute(sa.delete(t).where(t.c.a == 1))\nop.get_bind().execute(sa.select(t)).fetchall()\nop.bulk_insert(t, [])',
    ["dataChange update t false", "dataChange delete t true", "noTrace SELECT", "dataChange insert t true"],
  ],
  "statements on the table that create_table gives back": [
    't = op.create_table("t", schema="s")\nop.execute(t.update().values(a=1))\nop.bulk_insert(t, [])\nu = op.create_table(table_name="u")\nop.execute(sa.delete(u))',
    [
      "createTable s.t []",
      "dataChange update s.t false",
      "dataChange insert s.t true",
      "createTable u []",
      "dataChange delete u false",
    ],
  ],
  "an autocommit block": [
    'with op.get_context().autocommit_block():\n    op.create_index("i", "t", ["a"], postgresql_concurrently=True)\nop.drop_table("u")',
    ["!createIndex i t false true", "dropTable u"],
  ],
  "loops, f-strings, %, format and joins": [
    'for name, (kind, *_) in {"a": (1, 2), "b": (1,)}.items():\n    op.execute(f"DROP TABLE {name}")\nfor i in range(2):\n    op.drop_table("t" + "_%s" % i)\nfor s in TEXTS:\n    op.execute(s)',
    ["dropTable a", "dropTable b", "dropTable t_0", "dropTable t_1", "dropTable x", "dropTable y"],
    'TEXTS = ["DROP TABLE x", "DROP " "TABLE y"]',
  ],
  "functions of the same file": [
    'remove("a")\nremove(name="b", again=True)',
    ["dropTable a", "dropTable b", "dropTable b_again"],
    'def remove(name, again=False):\n    op.drop_table(name)\n    if again:\n        op.drop_table(name + "_again")',
  ],
  "a function that calls itself": ["f()", ["dropTable t"], 'def f():\n    op.drop_table("t")\n    f()'],
  "both branches of what is not known": [
    'if op.get_bind().dialect.name == "postgresql":\n    op.drop_table("a")\nelse:\n    op.drop_table("b")\nif False:\n    op.drop_table("c")\ntry:\n    op.drop_table("d")\nexcept Exception:\n    op.drop_table("e")',
    ["dropTable a", "dropTable b", "dropTable d", "dropTable e"],
  ],
  "nothing after a return": ['op.drop_table("a")\nreturn\nop.drop_table("b")', ["dropTable a"]],
  "a name that has two values by then": [
    'name = "a"\nif unknown():\n    name = "b"\nop.drop_table(name)',
    ["unknown an argument of op.drop_table is not known before it runs"],
  ],
  "a name that changes in a loop": [
    'n = 0\nfor row in op.get_bind().execute("SELECT 1"):\n    op.drop_table(f"t{n}")\n    n += 1',
    ["noTrace SELECT 1", "unknown an argument of op.drop_table is not known before it runs"],
  ],
  "arguments that are put together": [
    'op.drop_table(*names)\nop.execute("DROP TABLE " + name)',
    [
      "unknown the arguments of op.drop_table are put together when it runs",
      "unknown the SQL that execute() runs is put together when it runs",
    ],
  ],
  "op in the hands of another file": [
    "make_all(op)",
    ["unknown what app.make_all() does is not in this file"],
    "from app import make_all",
  ],
  "a function of another file that is called for what it does": [
    'add_audit("t")\nnow = clock()\nlogging.info("x")\nprint("x")',
    ["unknown what app.add_audit() does is not in this file"],
    "import logging\nfrom app import add_audit, clock",
  ],
  "an operation of a plug-in": [
    'op.create_entity("x")',
    ["unknown op.create_entity is not one of Alembic's own operations"],
  ],
  "all that alter_column does": [
    'op.alter_column("t", "a", nullable=False, server_default=None, type_=sa.BigInteger(), existing_type=sa.Integer(), new_column_name="b")',
    [
      "changeNullable t a false",
      "changeDefault t a none",
      "changeType t a int4 int8 false",
      "renameColumn t a b",
    ],
  ],
  "a default that stays": ['op.alter_column("t", "a", server_default=False, existing_type=sa.Text())', []],
  "an enum type": [
    'sa.Enum("x", name="e").create(op.get_bind())\npostgresql.ENUM(name="f").drop(op.get_bind(), checkfirst=True)',
    ["createType e", "dropType f"],
  ],
  "what is in a comprehension": [
    "[op.execute(s) for s in TEXTS]",
    ["unknown the SQL that execute() runs is put together when it runs"],
  ],
  "a loop that never ends": [
    'for a in range(400):\n    for b in range(400):\n        op.get_bind()\nop.drop_table("t")',
    ["unknown it does more than can be followed"],
  ],
};

describe("a revision's operations", () => {
  test.each(Object.entries(cases))("%s", (_, [upgrade, expected, preamble]) => {
    expect(operations(upgrade, preamble).map(shown)).toEqual(expected);
  });

  test("new columns with what Alembic adds to them", () => {
    const [column, foreign, unique, index] = operations(
      'op.add_column("t", sa.Column("a", sa.Integer, sa.ForeignKey("u.id"), nullable=False, unique=True))\nop.add_column("t", sa.Column("b", sa.DateTime(timezone=True), server_default=sa.func.now(), index=True))',
    );
    expect(column).toMatchObject({
      column: { name: "a", type: { name: "int4" }, nullable: false, default: "none" },
    });
    expect(foreign).toMatchObject({ constraint: { kind: "foreignKey", columns: ["a"] } });
    expect(unique).toMatchObject({ constraint: { kind: "unique", columns: ["a"] } });
    expect(index).toMatchObject({
      column: { name: "b", type: { name: "timestamptz" }, nullable: true, default: "stable" },
    });
  });

  test("stand at the line of the SQL where it is written as such, and at the call where it is put together", () => {
    const places = operations(
      'op.execute("""\n    DROP TABLE a;\n\n    DROP TABLE b""")\nop.execute("DROP TABLE c;"\n    "DROP TABLE d")',
    ).map(({ origin: { line, column, endLine } }) => [line, column, endLine]);
    const first = head.split("\n").length + 2;
    expect(places).toEqual([
      [first + 1, 9, first + 1],
      [first + 3, 9, first + 3],
      [first + 4, 5, first + 5],
      [first + 4, 5, first + 5],
    ]);
  });

  test.each([
    ["CRLF", (text: string) => text.replaceAll("\n", "\r\n")],
    ["tabs", (text: string) => text.replaceAll("    ", "\t")],
    ["a byte order mark", (text: string) => `\uFEFF${text}`],
  ])("are the same with %s", (_, change) => {
    const text = `${head}\ndef upgrade():\n    op.drop_table("tä")\n    op.execute("""\n    DROP TABLE b""")\n\ndef downgrade():\n    pass\n`;
    const of = (source: string) => operationsOf(source).map((one) => [shown(one), one.origin.line]);
    expect(of(change(text))).toEqual(of(text));
    expect(of(text)).toHaveLength(2);
  });

  test("of a file that does not parse are those that can be told", () => {
    expect(operations('op.drop_table("a"\nop.drop_table("b")').map(({ kind }) => kind)).not.toHaveLength(0);
  });

  test("of expressions that are a thousand deep are read without harm", () => {
    const deep = `${"(".repeat(1000)}"DROP TABLE t"${")".repeat(1000)}`;
    expect(operations(`op.execute(${deep})`).map(shown)).toEqual(["dropTable t"]);
  });

  test("of what is nested too deep are what came before it", () => {
    const deep = `${"(".repeat(50_000)}1${")".repeat(50_000)}`;
    const text = `op.drop_table("a")\nx = ${deep}\nop.drop_table("b")`;
    expect(operations(text).map(shown).at(-1)).toBe("unknown the file does not parse here");
  });

  test("of five megabytes of SQL are read", () => {
    const rows = "INSERT INTO t VALUES (1, 'x');\n".repeat(170_000);
    const read = () => expect(operations(`op.execute("""${rows}""")`).length).toBe(170_000);
    expect(cpuSeconds(read)).toBeLessThan(60);
  });
});
