import { beforeAll, describe, expect, test } from "vitest";
import type { RevisionFunction } from "../../../src/model/revision";
import { readRevisionFile } from "../../../src/tools/alembic/revision-file";
import { askAlembic } from "./alembic";

const head = `from alembic import context, op
import logging
import sqlalchemy as sa
from sqlalchemy import text
logger = logging.getLogger("x")
revision = "a"
down_revision = None

def nothing():
    """Only a docstring."""

def drops():
    op.execute("DROP TABLE t")

def refuses():
    raise NotImplementedError("one way")

def loops():
    return loops() if False else None

def skipped(fn):
    return fn

def len(sql):
    op.execute(sql)

inspect = op.execute
t = sa.table("t")
`;

/** Bodies of upgrade() that do nothing: the real Alembic runs no statement for them. */
const empty = [
  "pass",
  "...",
  '"""Nothing to do."""',
  "# only a comment\npass",
  "return",
  "return None",
  "return\nop.execute('DROP TABLE t')",
  'print("nothing")',
  'logger.info("nothing %s", revision)',
  "bind = op.get_bind()",
  "bind = op.get_bind()\ninspector = sa.inspect(bind)",
  'x = sa.Enum("a", "b", name="x")',
  "x: int = 1\nx += 1\ndel x",
  'logging.getLogger("x").info("nothing")',
  "nothing()",
  "return nothing()",
  "if context is None:\n    pass\nelse:\n    nothing()",
  "if False:\n    drops()",
  "try:\n    pass\nexcept Exception:\n    return\nfinally:\n    pass",
  "for x in ():\n    pass",
  "with op.batch_alter_table('t') as batch_op:\n    pass",
  "import os",
  "def inner():\n    drops()",
  "pass; pass",
  "global revision",
  'op.execute("SELECT 1")',
  'op.execute(sa.text("-- nothing\\nSELECT 1;"))',
  "lambda: drops()",
];

/** Whole definitions that do nothing. */
const emptyDefinitions = [
  "async def upgrade():\n    drops()\n",
  "def upgrade():\n    drops()\n    yield\n",
  "upgrade = lambda: None\n",
  "upgrade = nothing\n",
  "def upgrade(): pass\n",
  "def upgrade() -> None: ...\n",
  "if True:\n    def upgrade():\n        pass\n",
];

/** Bodies that do something, or may: never called empty. */
const working = [
  "drops()",
  "op.execute('DROP TABLE t')",
  'op.execute("SELECT drop_all()")',
  'op.execute("SELECT 1; DROP TABLE t")',
  "if True:\n    drops()",
  "x = drops()",
  "x = [drops() for _ in (1,)]",
  "return drops()",
  "for _ in (1,):\n    drops()",
  "try:\n    drops()\nexcept Exception:\n    pass",
  "with op.batch_alter_table('t') as batch_op:\n    drops()",
  "op.get_bind().execute(text('DROP TABLE t'))",
  "getattr(op, 'execute')('DROP TABLE t')",
  "(lambda: drops())()",
  "execute = getattr(op, 'execute')\nexecute('DROP TABLE t')",
  "inspect('DROP TABLE t')",
  "len('DROP TABLE t')",
  "if drops():\n    pass",
];

const definition = (body: string): string => `def upgrade():\n${body.replace(/^/gm, "    ")}\n`;

function upgradeOf(text: string): RevisionFunction {
  const { upgrade } = readRevisionFile("versions/a.py", Buffer.from(`${head}\n${text}`)).revision ?? {};
  if (upgrade === undefined) throw new Error("no upgrade was read");
  return upgrade;
}

const emptyTexts = [...empty.map(definition), ...emptyDefinitions];
let answers: ReadonlyMap<string, number | string>;

beforeAll(() => {
  const texts = [...emptyTexts, ...working.map(definition)];
  const { functions } = askAlembic({ functions: texts.map((text) => `${head}\n${text}`) });
  answers = new Map(texts.map((text, index) => [text, functions[index] ?? "no answer"]));
});

describe("does nothing", () => {
  test.each(emptyTexts)("%j", (text) => {
    expect(answers.get(text)).toBe(0);
    expect(upgradeOf(text)).toMatchObject({ empty: true, irreversible: undefined });
  });
});

describe("may do something", () => {
  test.each(working.map(definition))("%j", (text) => {
    expect(answers.get(text)).not.toBe(0);
    expect(upgradeOf(text)).toMatchObject({ empty: false, irreversible: undefined });
  });

  test.each([
    "@skipped\ndef upgrade():\n    pass\n",
    "from elsewhere import upgrade\n",
    "upgrade = make()\n",
    definition("loops()"),
    definition("raise Exception('no')"),
    definition("assert False"),
    definition("context.opts['x'] = 1"),
    definition("op.get_context().opts = {}"),
    definition("with op.batch_alter_table('t', recreate='always'):\n    pass"),
    definition("op.execute(statement)"),
    definition("await nothing()"),
  ])("%j", (text) => {
    expect(upgradeOf(text)).toMatchObject({ empty: false, irreversible: undefined });
  });
});

describe("refuses", () => {
  test.each([
    ['raise NotImplementedError("one way")', "one way"],
    ["raise NotImplementedError", ""],
    ["raise NotImplementedError()", ""],
    ['"""Docstring."""\nlogger.warning("x")\nraise NotImplementedError("one " "way") from None', "one way"],
    ['raise NotImplementedError(f"{revision} is one way")', "a is one way"],
    ["raise NotImplementedError(reason)", "reason"],
    ["refuses()", "one way"],
    ["return refuses()", "one way"],
  ])("%j", (body, reason) => {
    expect(upgradeOf(definition(body))).toMatchObject({ empty: false, irreversible: reason });
  });

  test("not when something came before it", () => {
    const { empty, irreversible } = upgradeOf(definition('drops()\nraise NotImplementedError("x")'));
    expect([empty, irreversible]).toEqual([false, undefined]);
  });
});
