import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runCheck } from "../support/gate";
import { repositoryIn } from "../support/git";
import { alembicFiles, alembicProject } from "../support/project";

const page = readFileSync(join(import.meta.dirname, "../../docs/json-report.md"), "utf8");

/** The fields of the table below a heading. */
function documented(heading: string): string[] {
  const [, section = ""] = page.split(`\n${heading}\n`);
  const [table = ""] = section.split(/\n#/);
  return [...table.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name ?? "");
}

type Json = Readonly<Record<string, unknown>>;

function fieldsOf(objects: unknown): string[] {
  return [...new Set((objects as Json[]).flatMap((object) => Object.keys(object)))];
}

test("every field that occurs is in the document, in its order, and none that does not", async () => {
  await using project = await alembicProject({
    revisions: [
      {
        id: "a",
        down: null,
        upgrade: 'op.execute("CREATE TABLE t (id int)")',
        downgrade: 'op.execute("DROP TABLE t")',
      },
      { id: "b", down: "a", upgrade: 'op.execute("CREATE INDEX ix ON t (id)")', downgrade: "" },
    ],
  });
  const { code, stdout } = await runCheck({ cwd: project.path, args: ["--format", "json"] });
  expect(code).toBe(1);
  const report = JSON.parse(stdout) as Json;
  const steps = report.steps as Json[];
  const statements = steps.flatMap((step) => step.statements as Json[]);
  const locks = statements.flatMap((statement) => (statement.locks ?? []) as Json[]);
  expect(fieldsOf([report])).toEqual(documented("## The report"));
  expect(fieldsOf(report.findings).sort()).toEqual(documented("### `findings[]`").sort());
  expect(fieldsOf(steps).sort()).toEqual(documented("### `steps[]`").sort());
  expect(fieldsOf(statements).sort()).toEqual(documented("### `steps[].statements[]`").sort());
  expect(fieldsOf(locks).sort()).toEqual(["mode", "relation"]);
  expect(fieldsOf([report.shadow]).sort()).toEqual(documented("### `shadow`").sort());
  expect(fieldsOf(report.revisions)).toEqual(documented("### `revisions[]`"));
  for (const phase of fieldsOf([report.timings])) expect(page).toContain(`\`${phase}\``);
});

test("the fields of the deploy lane", async () => {
  await using project = await alembicProject({
    revisions: [
      {
        id: "a",
        down: null,
        upgrade: 'op.create_table("t", sa.Column("id", sa.Integer))',
        downgrade: 'op.drop_table("t")',
      },
    ],
  });
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.write(
    "migrations/versions/b.py",
    alembicFiles({ revisions: [{ id: "b", down: "a", upgrade: "", downgrade: "" }] })[
      "migrations/versions/b.py"
    ],
  );
  const { stdout } = await runCheck({ cwd: project.path, args: ["--format", "json", "--base", "HEAD"] });
  const report = JSON.parse(stdout) as Json;
  const lane = report.deployLane as Json;
  expect(fieldsOf([lane])).toEqual(documented("### `deployLane`"));
  expect(lane.status).toBe("proved");
  for (const phase of fieldsOf([report.timings])) expect(page).toContain(`\`${phase}\``);
});

test("the fields of an error", async () => {
  await using project = await alembicProject({ revisions: [] });
  const { code, stdout } = await runCheck({ cwd: project.path, args: ["--format=json"] });
  expect(code).toBe(2);
  const answer = JSON.parse(stdout) as Json;
  const fields = [...fieldsOf([answer]), ...fieldsOf([answer.error])];
  expect(fields).toEqual(documented("## The error"));
});
