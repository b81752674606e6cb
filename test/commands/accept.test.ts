import { existsSync } from "node:fs";
import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { blames, type JudgedEnd, judge } from "../support/gate";
import { alembicProject, type RevisionSource } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const table: RevisionSource = {
  id: "a",
  down: null,
  upgrade: 'op.create_table("t", sa.Column("id", sa.Integer), sa.Column("old", sa.Integer))',
  downgrade: 'op.drop_table("t")',
};

function drops(
  comment: string,
  downgrade = 'op.add_column("t", sa.Column("old", sa.Integer))',
): RevisionSource {
  return { id: "b", down: "a", upgrade: `${comment}\nop.drop_column("t", "old")`.trim(), downgrade };
}

function run(cwd: string, args: readonly string[] = []): Promise<JudgedEnd> {
  return judge({ cwd, args, env: { MIGRATION_GATE_SHADOW_URL: urlOf(server.address) } });
}

/** What counts, and what was accepted with its reason. */
function outcome({ code, report }: JudgedEnd) {
  const accepted = report.findings.filter(({ suppressed }) => suppressed);
  return {
    code,
    open: blames(report),
    accepted: accepted.map(({ rule, suppression }) => `${rule}: ${suppression}`),
  };
}

async function judged(revision: RevisionSource, files: Readonly<Record<string, string>> = {}) {
  await using project = await alembicProject({ revisions: [table, revision], files });
  return outcome(await run(project.path));
}

const dropped = "error ban-drop-column b column t.old";
const residue = "note downgrade-leaves-residue b column public.t.old";

const order = "note column-order-differs b column order public.t";

describe("a finding", () => {
  test("fails the check, is accepted by a comment, and by migration-gate.yml", async () => {
    expect(await judged(drops(""))).toEqual({ code: 1, open: [dropped], accepted: [] });
    expect(
      await judged(drops("# migration-gate: allow ban-drop-column because unmapped since v1.8")),
    ).toEqual({
      code: 0,
      open: [],
      accepted: ["ban-drop-column: unmapped since v1.8"],
    });
    const accept = 'accept:\n  - { rule: ban-drop-column, revision: "b", because: unmapped }\n';
    expect(await judged(drops(""), { "migration-gate.yml": accept })).toEqual({
      code: 0,
      open: [],
      accepted: ["ban-drop-column: unmapped"],
    });
  });

  test("of the proof is accepted too, with the step that failed for it", async () => {
    const accept =
      "accept:\n" +
      ["ban-drop-column", "require-downgrade", "downgrade-leaves-residue"]
        .map((rule) => `  - { rule: ${rule}, revision: b, because: nobody rolls back }\n`)
        .join("");
    const empty = drops("", "pass");
    expect(await judged(empty)).toEqual({
      code: 1,
      open: [dropped, "error require-downgrade b", order, residue],
      accepted: [],
    });
    const half = accept.replace(/.*leaves-residue.*\n/, "");
    expect((await judged(empty, { "migration-gate.yml": half })).open).toContain(
      residue.replace("note", "error"),
    );
    expect(await judged(empty, { "migration-gate.yml": accept })).toEqual({
      code: 0,
      open: [order],
      accepted: [
        "ban-drop-column: nobody rolls back",
        "downgrade-leaves-residue: nobody rolls back",
        "require-downgrade: nobody rolls back",
      ].sort(),
    });
  });

  test.each([
    [
      "leads elsewhere",
      "second-upgrade-differs",
      // A large object is no part of the schema, and lasts as long as the database.
      `op.execute("DO $$ BEGIN IF EXISTS (SELECT FROM pg_largeobject_metadata WHERE oid = 4242) THEN ALTER TABLE t ADD COLUMN two int; ELSE PERFORM lo_create(4242); ALTER TABLE t ADD COLUMN one int; END IF; END $$")`,
      'op.execute("ALTER TABLE t DROP COLUMN one")',
    ],
    [
      "fails",
      "second-upgrade-fails",
      'op.execute("ALTER TABLE t ADD CONSTRAINT one CHECK (id > 1)")',
      'op.execute("ALTER TABLE t DROP CONSTRAINT one")\nop.execute("INSERT INTO t (id) VALUES (1)")',
    ],
  ])(
    "of a second upgrade that %s is accepted with the downgrade before it",
    async (_, rule, upgrade, downgrade) => {
      const again: RevisionSource = { id: "b", down: "a", upgrade, downgrade };
      const accept = `floor: a\naccept:\n  - { rule: ${rule}, revision: b, because: it runs once }\n`;
      expect(await judged(again, { "migration-gate.yml": accept })).toMatchObject({
        code: 0,
        accepted: [`${rule}: it runs once`],
      });
    },
  );

  test("that says that a step was not seen is never accepted", async () => {
    const unseen: RevisionSource = {
      ...drops("# migration-gate: allow ban-drop-column because unmapped"),
      downgrade: 'raise RuntimeError("no")  # migration-gate: allow not-proved because why not',
    };
    const { code, open } = await judged(unseen);
    expect(code).toBe(1);
    expect(open).toContain("warning suppression-not-allowed b");
  });

  test("of a downgrade that cannot be is none when a comment says why", async () => {
    const reason = drops(
      "# migration-gate: allow ban-drop-column because unmapped",
      "pass  # migration-gate: irreversible because the values are gone",
    );
    expect(await judged(reason)).toEqual({ code: 0, open: [], accepted: ["ban-drop-column: unmapped"] });
    const none = drops(
      "# migration-gate: allow ban-drop-column because unmapped",
      "pass  # migration-gate: irreversible",
    );
    expect((await judged(none)).open).toContain("error require-downgrade b");
  });
});

test("the baseline takes what is there, survives a shift of lines, and notes what is gone", async () => {
  await using project = await alembicProject({ revisions: [table, drops("")] });
  const revision = join(project.path, "migrations", "versions", "b.py");
  expect((await run(project.path, ["--write-baseline"])).code).toBe(0);
  const text = await readFile(revision, "utf8");
  await writeFile(revision, text.replace("def upgrade", "\n\n\ndef upgrade"));
  expect(outcome(await run(project.path))).toEqual({
    code: 0,
    open: [],
    accepted: ["ban-drop-column: baseline"],
  });
  await rm(revision);
  await writeFile(
    revision,
    text.replace('op.drop_column("t", "old")', "pass").replace(/op\.add_column.*/, "pass"),
  );
  expect(outcome(await run(project.path))).toEqual({
    code: 0,
    open: ["note unused-baseline-entry b"],
    accepted: [],
  });
  await writeFile(join(project.path, "migration-gate-baseline.json"), "no JSON");
  await expect(run(project.path)).rejects.toThrow(
    "The baseline migration-gate-baseline.json cannot be read.",
  );
});

test("a migration that writes the baseline while it runs accepts nothing", async () => {
  const file = "migration-gate-baseline.json";
  const copy = `here = pathlib.Path(__file__).parents[2]\nif (here / "kept.json").exists(): shutil.copy(here / "kept.json", here / "${file}")`;
  const own = drops("");
  const writes = { ...own, preamble: "import pathlib, shutil", upgrade: `${own.upgrade}\n${copy}` };
  await using project = await alembicProject({ revisions: [table, writes] });
  await run(project.path, ["--write-baseline"]);
  await rename(join(project.path, file), join(project.path, "kept.json"));
  expect(outcome(await run(project.path))).toMatchObject({ code: 1, accepted: [] });
  expect(existsSync(join(project.path, file))).toBe(true);
});
