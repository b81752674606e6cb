import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Address } from "../../src/databases/postgres/connection";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { blames, type JudgedEnd, judge, lintOff, openSteps } from "../support/gate";
import { type AlembicProject, alembicProject, type RevisionSource } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

function onServer(address: Address, args: readonly string[] = []) {
  return { args, env: { MIGRATION_GATE_SHADOW_URL: urlOf(address) } };
}

async function judgeProject(source: AlembicProject, args: readonly string[] = []): Promise<JudgedEnd> {
  await using project = await alembicProject({ ...source, files: lintOff });
  return await judge({ cwd: project.path, ...onServer(server.address, args) });
}

/** A revision that makes and drops a table of its own. */
function table(id: string, down: RevisionSource["down"], more: Partial<RevisionSource> = {}): RevisionSource {
  return {
    id,
    down,
    upgrade: `op.create_table("t_${id}", sa.Column("id", sa.Integer, primary_key=True))`,
    downgrade: `op.drop_table("t_${id}")`,
    ...more,
  };
}

/** A revision of plain SQL. */
function sql(id: string, down: RevisionSource["down"], upgrade: string, downgrade: string): RevisionSource {
  const execute = (text: string) => (text === "" ? "" : `op.execute(${JSON.stringify(text)})`);
  return { id, down, upgrade: execute(upgrade), downgrade: execute(downgrade) };
}

interface Case extends Omit<AlembicProject, "revisions"> {
  readonly revisions: readonly RevisionSource[];
  readonly args?: readonly string[];
  readonly exit: 0 | 1;
  readonly findings: readonly string[];
  readonly open: readonly string[];
  /** Parts of the first finding's text. */
  readonly tells?: readonly string[];
  /** `file:line` of the first finding. */
  readonly at?: string;
}

const residue = "downgrade-leaves-residue";

const cases: Readonly<Record<string, Case>> = {
  "a clean history": {
    revisions: [table("a", null), table("b", "a"), table("c", "b")],
    exit: 0,
    findings: [],
    open: [],
  },
  "a downgrade that leaves a view blocks an innocent one": {
    revisions: [
      table("a", null),
      sql("b", "a", "CREATE VIEW leftover AS SELECT id FROM t_a", ""),
      table("c", "b"),
    ],
    exit: 1,
    findings: [`error ${residue} b view public.leftover`],
    open: ["b downgrade: failed, it does not restore the schema"],
    tells: ["It stops the downgrade of revision a: 2BP01", "at: DROP TABLE t_a"],
    at: "migrations/versions/b.py:12",
  },
  "a downgrade that fails, older ones still judged": {
    revisions: [
      sql("a", null, "CREATE TABLE kept (id int)", "DROP TABLE kept"),
      sql("b", "a", "CREATE INDEX ix_kept ON kept (id)", ""),
      table("c", "b", { downgrade: 'op.drop_table("no_such")' }),
      table("d", "c"),
    ],
    exit: 1,
    findings: ["error downgrade-fails c", `error ${residue} b index public.ix_kept`],
    open: ["b downgrade: failed, it does not restore the schema", "c downgrade: failed, the downgrade fails"],
  },
  "two failing downgrades far apart": {
    revisions: [
      table("a", null),
      table("b", "a", { downgrade: 'op.drop_table("gone_b")' }),
      table("c", "b"),
      table("d", "c"),
      table("e", "d", { downgrade: 'raise RuntimeError("not today")' }),
      table("f", "e"),
    ],
    exit: 1,
    findings: ["error downgrade-fails b", "error downgrade-fails e"],
    open: ["b downgrade: failed, the downgrade fails", "e downgrade: failed, the downgrade fails"],
  },
  "an irreversible revision with its reason": {
    revisions: [
      table("a", null),
      table("b", "a", { downgrade: 'raise NotImplementedError("rows would be lost")' }),
      table("c", "b"),
    ],
    exit: 0,
    findings: [],
    open: ["b downgrade: skipped, irreversible: rows would be lost"],
  },
  "a floor": {
    revisions: [table("a", null, { downgrade: "" }), table("b", "a", { downgrade: "" }), table("c", "b")],
    args: ["--floor", "b"],
    exit: 0,
    findings: [],
    open: ["a downgrade: skipped, at or below the floor b", "b downgrade: skipped, at or below the floor b"],
  },
  "a branch and its merge": {
    revisions: [
      table("a", null),
      table("b", "a"),
      table("c", "a", { downgrade: "" }),
      table("d", "c"),
      { id: "m", down: ["b", "d"], upgrade: "", downgrade: "" },
      table("n", "m"),
    ],
    exit: 1,
    findings: [`error ${residue} c table public.t_c`],
    open: ["c downgrade: failed, it does not restore the schema"],
  },
  depends_on: {
    revisions: [
      table("a", null),
      table("b", "a"),
      table("x", "a", { preamble: 'depends_on = "b"' }),
      { id: "m", down: ["b", "x"], upgrade: "", downgrade: "" },
    ],
    exit: 0,
    findings: [],
    open: [],
  },
  "two heads": {
    revisions: [table("a", null), table("b", "a"), table("c", "a")],
    exit: 1,
    findings: ["error multiple-heads c"],
    open: [],
  },
  "two bases": {
    revisions: [
      table("a", null),
      table("b", null),
      { id: "m", down: ["a", "b"], upgrade: "", downgrade: "" },
    ],
    exit: 0,
    findings: [],
    open: [],
  },
  "a downgrade that makes what never was": {
    revisions: [table("a", null), sql("b", "a", "", "CREATE TABLE never_was (id int)")],
    exit: 1,
    findings: [`error ${residue} b table public.never_was`],
    open: ["b downgrade: failed, it does not restore the schema"],
  },
  "a downgrade that drops too much": {
    revisions: [
      table("a", null),
      table("b", "a", { downgrade: 'op.drop_table("t_b")\nop.drop_table("t_a")' }),
    ],
    exit: 1,
    findings: [`error ${residue} b table public.t_a`],
    open: ["b downgrade: failed, it does not restore the schema"],
    tells: ["is gone, which was there before", "It stops the downgrade of revision a: 42P01"],
  },
  "columns in another order": {
    revisions: [
      sql("a", null, "CREATE TABLE o (one int, two int)", "DROP TABLE o"),
      sql("b", "a", "ALTER TABLE o DROP COLUMN one", "ALTER TABLE o ADD COLUMN one int"),
    ],
    exit: 0,
    findings: ["note column-order-differs b column order public.o"],
    open: [],
  },
  "an extension that stays": {
    revisions: [sql("a", null, "CREATE EXTENSION citext", "")],
    exit: 1,
    findings: [`error ${residue} a extension citext`],
    open: ["a downgrade: failed, it does not restore the schema"],
  },
  "an extension that stays and that nobody trips over": {
    revisions: [sql("a", null, "CREATE EXTENSION IF NOT EXISTS citext", "")],
    exit: 0,
    findings: [`warning ${residue} a extension citext`],
    open: [],
  },
  "a setup that applies what is under judgement": {
    revisions: [table("a", null), table("b", "a")],
    args: ["--setup", "alembic upgrade b", "--floor", "a"],
    exit: 1,
    findings: ["error not-proved b", "error not-proved b"],
    open: [
      "a downgrade: skipped, at or below the floor a",
      "a upgrade: skipped, applied by the setup",
      "b downgrade: not proved, the setup had applied it already; let the setup stop below it, or set floor to it where the history starts there",
      "b upgrade: not proved, the setup had applied it already; let the setup stop below it, or set floor to it where the history starts there",
    ],
  },
  "a second upgrade that leads elsewhere": {
    revisions: [
      sql("a", null, "CREATE TABLE s (id int)", "DROP TABLE s"),
      {
        id: "b",
        down: "a",
        preamble: "import os, pathlib\nmarker = pathlib.Path(__file__).with_suffix('.ran')",
        upgrade: `op.execute("ALTER TABLE s ADD COLUMN " + ("two" if marker.exists() else "one") + " int")
marker.touch()`,
        downgrade: 'op.execute("ALTER TABLE s DROP COLUMN one")',
      },
    ],
    exit: 1,
    // What it left outside the database is there when the way is tried again.
    findings: ["error downgrade-fails b"],
    open: ["b downgrade: failed, the downgrade fails"],
  },
  "a second upgrade that changes what another revision made": {
    revisions: [
      sql("a", null, "CREATE TABLE t (x int)", "DROP TABLE t"),
      {
        id: "b",
        down: "a",
        upgrade: `op.execute("CREATE TABLE u (id int)")
op.execute("DO $$ BEGIN IF EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = 4242) THEN ALTER TABLE t ALTER x SET DEFAULT 7; ELSE PERFORM lo_create(4242); END IF; END $$")`,
        downgrade: 'op.execute("ALTER TABLE t ALTER x DROP DEFAULT; DROP TABLE u")',
      },
    ],
    exit: 1,
    findings: ["error second-upgrade-differs b column public.t.x"],
    open: ["b downgrade: failed, the second upgrade leads to another schema"],
  },
  "a second upgrade that differs once only": {
    revisions: [
      table("a", null),
      {
        id: "b",
        down: "a",
        preamble:
          "import os, pathlib\ncounter = pathlib.Path(__file__).with_suffix('.runs')\nruns = len(counter.read_text()) if counter.exists() else 0",
        upgrade: `op.execute("CREATE TABLE u (id " + ("bigint" if runs == 1 else "int") + ")")
counter.write_text("x" * (runs + 1))`,
        downgrade: 'op.execute("DROP TABLE u")',
      },
    ],
    exit: 1,
    findings: ["error not-proved -"],
    open: [],
  },
  "an upgrade that PostgreSQL refuses": {
    revisions: [
      table("a", null),
      {
        id: "b",
        down: "a",
        upgrade: 'op.execute("SELECT 1")\nop.execute("ALTER TABLE t_a ADD COLUMN x no_type")',
        downgrade: "",
      },
      table("c", "b"),
    ],
    exit: 1,
    findings: ["error upgrade-fails b"],
    open: [
      "b downgrade: skipped, the upgrade fails",
      "b upgrade: failed, the upgrade fails",
      "c downgrade: not proved, it needs b, whose upgrade fails",
      "c upgrade: not proved, it needs b, whose upgrade fails",
    ],
    tells: ['42704: type "no_type" does not exist', "Statement: ALTER TABLE t_a ADD COLUMN x no_type"],
    at: "migrations/versions/b.py:13",
  },
  "an upgrade that raises": {
    revisions: [table("a", null), table("b", "a", { upgrade: "\n\nop.no_such_operation()" })],
    exit: 1,
    findings: ["error upgrade-fails b"],
    open: ["b downgrade: skipped, the upgrade fails", "b upgrade: failed, the upgrade fails"],
    tells: ["AttributeError"],
    at: "migrations/versions/b.py:12",
  },
  "an exception that is swallowed": {
    revisions: [
      table("a", null),
      {
        id: "b",
        down: "a",
        upgrade:
          'try:\n    op.execute("DROP TABLE not_there")\nexcept Exception:\n    pass\nop.execute("CREATE TABLE after_it (id int)")',
        downgrade: 'op.drop_table("after_it")',
      },
    ],
    exit: 1,
    findings: ["error upgrade-fails b"],
    open: ["b downgrade: skipped, the upgrade fails", "b upgrade: failed, the upgrade fails"],
    tells: ['42P01: table "not_there" does not exist', "Let the error surface"],
    at: "migrations/versions/b.py:13",
  },
  "an exception that is swallowed as the last thing": {
    revisions: [
      table("a", null),
      {
        id: "b",
        down: "a",
        upgrade: 'try:\n    op.execute("DROP TABLE not_there")\nexcept Exception:\n    pass',
        downgrade: "",
      },
    ],
    exit: 1,
    findings: ["error upgrade-fails b"],
    open: ["b downgrade: skipped, the upgrade fails", "b upgrade: failed, the upgrade fails"],
    tells: ['42P01: table "not_there" does not exist', "Let the error surface"],
    at: "migrations/versions/b.py:13",
  },
  "a deferred constraint that stops the commit": {
    revisions: [
      sql(
        "a",
        null,
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1)",
        "DROP TABLE c; DROP TABLE p",
      ),
    ],
    exit: 1,
    findings: ["error upgrade-fails a"],
    open: ["a downgrade: skipped, the upgrade fails", "a upgrade: failed, the upgrade fails"],
    tells: ["23503"],
  },
  "a deferred constraint that stops the commit of five revisions": {
    revisions: [
      table("a", null),
      table("b", "a"),
      sql(
        "c",
        "b",
        "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (p int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1)",
        "DROP TABLE c; DROP TABLE p",
      ),
      table("d", "c"),
      table("e", "d"),
    ],
    exit: 1,
    findings: ["error upgrade-fails c"],
    open: [
      "c downgrade: skipped, the upgrade fails",
      "c upgrade: failed, the upgrade fails",
      "d downgrade: not proved, it needs c, whose upgrade fails",
      "d upgrade: not proved, it needs c, whose upgrade fails",
      "e downgrade: not proved, it needs c, whose upgrade fails",
      "e upgrade: not proved, it needs c, whose upgrade fails",
    ],
    tells: ["23503"],
  },
  "a COMMIT within a revision": {
    revisions: [
      table("a", null),
      {
        id: "b",
        down: "a",
        upgrade: 'op.execute("COMMIT")\nop.execute("CREATE INDEX CONCURRENTLY ix ON t_a (id)")',
        downgrade: 'op.execute("DROP INDEX ix")',
      },
    ],
    exit: 0,
    findings: ["warning revision-ends-transaction b"],
    open: [],
    at: "migrations/versions/b.py:12",
  },
  "a version table of another name and schema": {
    revisions: [table("a", null), table("b", "a", { downgrade: "" }), table("c", "b")],
    versionTable: "odd version's",
    versionTableSchema: "public",
    exit: 1,
    findings: [`error ${residue} b table public.t_b`],
    open: ["b downgrade: failed, it does not restore the schema"],
  },
  "several version writes in one message": {
    revisions: [
      table("a", null),
      table("b", "a"),
      {
        id: "c",
        down: "b",
        upgrade:
          "op.execute(\"UPDATE alembic_version SET version_num = 'a'; UPDATE alembic_version SET version_num = 'b'\")",
        downgrade: "",
      },
    ],
    exit: 1,
    findings: ["error not-proved c", "error not-proved c"],
    open: [
      "c downgrade: not proved, its downgrade and second upgrade were not seen to be committed on a way of its own above b",
      "c upgrade: not proved, 2 writes to the version table came in one message, so that no boundary lay between them",
    ],
  },
};

describe.concurrent("a small project", () => {
  test.each(Object.entries(cases))("%s", async (_, { exit, findings, open, tells, at, args, ...source }) => {
    const { code, report } = await judgeProject(source, args);
    expect({ code, findings: blames(report), open: openSteps(report) }).toEqual({
      code: exit,
      findings: [...findings].sort(),
      open: [...open].sort(),
    });
    const first = report.findings.find(({ suppressed }) => !suppressed);
    for (const part of tells ?? []) expect(Object.values(first ?? {}).join("\n")).toContain(part);
    if (at !== undefined) expect(`${first?.file}:${first?.line}`).toBe(at);
  });
});
