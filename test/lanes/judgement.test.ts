import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import { type TestServer, testServer } from "../support/database";
import { blames, judge, lintOff, openSteps } from "../support/gate";
import { alembicFiles, alembicProject, type RevisionSource, writeProject } from "../support/project";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const table = (id: string, down: string | null, downgrade = `op.drop_table("t_${id}")`): RevisionSource => ({
  id,
  down,
  upgrade: `op.create_table("t_${id}", sa.Column("id", sa.Integer))`,
  downgrade,
});

test("a tool that goes round the recorder to the shadow server itself proves nothing", async () => {
  const files = alembicFiles({ revisions: [table("a", null), table("b", "a")] });
  const real = urlOf({ ...server.address, database: "DATABASE" }, "postgresql+psycopg2");
  const env = (files["migrations/env.py"] ?? "").replace(
    /^url = .*$/m,
    (line) =>
      `import sys\n${line}\nif "current" not in sys.argv:\n    url = ${JSON.stringify(real)}.replace("DATABASE", url.rpartition("/")[2])`,
  );
  await using project = await writeProject({ ...files, "migrations/env.py": env });
  const { code, report } = await judge({
    cwd: project.path,
    args: ["--isolation", "off"],
    env: { MIGRATION_GATE_SHADOW_URL: urlOf(server.address) },
  });
  expect(code).toBe(1);
  expect(report.steps.map(({ status }) => status)).toEqual(Array(4).fill("not proved"));
  expect(blames(report)).toEqual([
    "error not-proved a",
    "error not-proved a",
    "error not-proved b",
    "error not-proved b",
  ]);
  expect(report.steps.map(({ reason }) => reason)).toEqual(
    Array(4).fill(expect.stringContaining("recorder")),
  );
});

test("where the newest revision has no way back it costs one start, the way up", async () => {
  const refuses = 'raise NotImplementedError("the values are gone")';
  const revisions = [table("a", null), table("b", "a", refuses)];
  const files = alembicFiles({ revisions });
  const note = `import sys\nopen("starts.txt", "a").write(" ".join(sys.argv[1:]) + "\\n")\n`;
  await using project = await writeProject({
    ...files,
    "migrations/env.py": note + files["migrations/env.py"],
  });
  const { code, report } = await judge({ cwd: project.path });
  expect([code, report.steps.map(({ direction, status }) => `${direction} ${status}`)]).toEqual([
    0,
    ["upgrade proved", "downgrade proved", "upgrade proved", "downgrade skipped"],
  ]);
  const starts = readFileSync(join(project.path, "starts.txt"), "utf8").trimEnd().split("\n");
  const words = starts.map((line) => /\b(?:current|upgrade|downgrade)\b.*/.exec(line)?.[0]);
  expect(words.map((line) => line?.replace(/^current .*/, "current"))).toEqual([
    "current",
    "upgrade head",
    // The older one on a way of its own.
    "upgrade a",
    "downgrade base",
    "upgrade a",
  ]);
});

test("a tool that goes no way down says so, and is not started once more for each revision", async () => {
  const refuses = 'raise NotImplementedError("the values are gone")';
  const revisions = [table("a", null), table("b", "a"), table("c", "b"), table("d", "c", refuses)];
  const files = alembicFiles({ revisions });
  const env = `import sys
open("starts.txt", "a").write(" ".join(sys.argv[1:]) + "\\n")
if "downgrade" in sys.argv:
    raise RuntimeError("this project goes forward only")
`;
  await using project = await writeProject({
    ...files,
    "migrations/env.py": env + files["migrations/env.py"],
  });
  const { code, report } = await judge({ cwd: project.path });
  const open = report.steps.filter(({ status }) => status === "not proved");
  expect([code, open.map(({ revision, direction }) => `${revision} ${direction}`)]).toEqual([
    1,
    ["a downgrade", "b downgrade", "c downgrade"],
  ]);
  const why = "the tool failed outside of any revision: RuntimeError: this project goes forward only";
  expect(open.map(({ reason }) => reason)).toEqual(Array(3).fill(expect.stringContaining(why)));
  expect(readFileSync(join(project.path, "starts.txt"), "utf8").trimEnd().split("\n")).toEqual([
    "current",
    "upgrade head",
    // The newest of the others on a way of its own.
    ...["upgrade c", "downgrade base", "upgrade c"],
  ]);
});

test("a role that stays is a warning", async () => {
  await using project = await alembicProject({
    files: lintOff,
    revisions: [
      {
        id: "a",
        down: null,
        upgrade: `op.execute("DO $$ BEGIN CREATE ROLE reader_of_a; EXCEPTION WHEN duplicate_object THEN NULL; END $$")`,
        downgrade: "",
      },
    ],
  });
  const { code, report } = await judge({ cwd: project.path });
  expect({ code, blames: blames(report), open: openSteps(report) }).toEqual({
    code: 0,
    blames: ["warning downgrade-leaves-residue a role reader_of_a"],
    open: [],
  });
});

describe("with a base", () => {
  const git = (cwd: string, ...args: string[]) =>
    execFileSync("git", ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args], { cwd });

  test("what is wrong with revisions that are not new is a note", async () => {
    const old = [table("a", null, ""), table("b", "a", 'op.drop_table("gone")'), table("c", "b")];
    await using project = await alembicProject({ revisions: old, files: lintOff });
    git(project.path, "init", "-q", "-b", "trunk");
    git(project.path, "add", ".");
    git(project.path, "commit", "-qm", "old");
    const files = alembicFiles({ revisions: [...old, table("d", "c")] });
    const name = "migrations/versions/d.py";
    await writeFile(join(project.path, name), files[name] ?? "");
    git(project.path, "add", name);
    const { code, report } = await judge({ cwd: project.path, args: ["--base", "trunk"] });
    expect({ code, verdict: report.verdict }).toEqual({ code: 0, verdict: "passed" });
    expect(report.findings.every(({ severity }) => severity === "note")).toBe(true);
    expect(report.findings.map(({ rule, revision }) => `${rule} ${revision}`)).toContain("downgrade-fails b");
    expect(report.steps.filter(({ judged }) => judged).map((step) => [step.revision, step.status])).toEqual([
      ["d", "proved"],
      ["d", "proved"],
    ]);
  });

  test("a new revision above a landed one that fails is sent to that one", async () => {
    const old = [table("a", null), { ...table("b", "a"), upgrade: "op.no_such_operation()" }];
    await using project = await alembicProject({ revisions: old, files: lintOff });
    git(project.path, "init", "-q", "-b", "trunk");
    git(project.path, "add", ".");
    git(project.path, "commit", "-qm", "old");
    const files = alembicFiles({ revisions: [...old, table("d", "b")] });
    const name = "migrations/versions/d.py";
    await writeFile(join(project.path, name), files[name] ?? "");
    git(project.path, "add", name);
    const { report } = await judge({ cwd: project.path, args: ["--base", "trunk"] });
    const unproved = report.findings.filter(({ rule }) => rule === "not-proved");
    expect(unproved.map(({ revision, seen, do: advice }) => [revision, seen.split("; ")[1], advice])).toEqual(
      Array(2).fill([
        "d",
        "it needs b, whose upgrade fails.",
        "See the finding of the revision that it needs; this one is proved once that one can be applied.",
      ]),
    );
  });

  test("a new revision that is wrong fails", async () => {
    const old = [table("a", null)];
    await using project = await alembicProject({ revisions: old, files: lintOff });
    git(project.path, "init", "-q", "-b", "trunk");
    git(project.path, "add", ".");
    git(project.path, "commit", "-qm", "old");
    const files = alembicFiles({ revisions: [...old, table("d", "a", "")] });
    const name = "migrations/versions/d.py";
    await writeFile(join(project.path, name), files[name] ?? "");
    git(project.path, "add", name);
    const { code, report } = await judge({ cwd: project.path, args: ["--base", "trunk"] });
    expect({ code, blames: blames(report) }).toEqual({
      code: 1,
      blames: ["error downgrade-leaves-residue d table public.t_d"],
    });
  });
});
