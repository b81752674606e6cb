import { spawnSync } from "node:child_process";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { blames, gateBundle, judge, runCheck } from "../support/gate";
import { cloneOf, repositoryIn } from "../support/git";
import {
  alembicFiles,
  alembicProject,
  type Project,
  type RevisionSource,
  writeProject,
} from "../support/project";

const versions = "migrations/versions";
const revisions: RevisionSource[] = [
  { id: "0001", down: null, upgrade: "", downgrade: "", message: "first" },
  { id: "0002", down: "0001", upgrade: "", downgrade: "", message: "second" },
];

async function landed(): Promise<{
  project: Project;
  repository: ReturnType<typeof repositoryIn>;
  base: string;
}> {
  const project = await alembicProject({ revisions });
  const repository = repositoryIn(project.path);
  const base = repository.commit();
  repository.git("checkout", "-qb", "topic");
  return { project, repository, base };
}

test("a change that only deletes a revision fails, without a database", async () => {
  const { project, repository, base } = await landed();
  await using _ = project;
  repository.remove(`${versions}/0002.py`);
  const { code, report } = await judge({
    cwd: project.path,
    args: ["--base", "main"],
    env: { MIGRATION_GATE_SHADOW_URL: "postgresql://nobody@127.0.0.1:1/x" },
  });
  expect({ code, ...report, findings: blames(report), timings: Object.keys(report.timings) }).toEqual({
    code: 1,
    version: 1,
    verdict: "failed",
    findings: ["error revision-deleted 0002"],
    steps: [],
    revisions: [
      {
        id: "0001",
        parents: [],
        message: "first",
        file: `${versions}/0001.py`,
        state: "unchanged",
        judged: false,
      },
      {
        id: "0002",
        parents: ["0001"],
        message: "second",
        file: `${versions}/0002.py`,
        state: "deleted",
        judged: false,
      },
    ],
    base: { source: "--base", commit: base },
    timings: ["static"],
  });
});

test("a change of env.py alone passes, and says that nothing was run", async () => {
  const { project, repository } = await landed();
  await using _ = project;
  repository.write("migrations/env.py", "raise SystemExit\n");
  repository.write("README.md");
  const { code, stdout } = await runCheck({ cwd: project.path, args: ["--base", "main"] });
  expect({
    code,
    stdout: stdout.replace(/[0-9a-f]{10}, the base/, "<commit>, the base").replace(/static .*\n/, ""),
  }).toEqual({
    code: 0,
    stdout: `warning[environment-edited] migrations/env.py
  what  migrations/env.py was changed, and no revision is new or edited: nothing was run.
  where migrations/env.py
  seen  It differs from <commit>, the base commit (--base).
  why   Every revision runs through this file; whether they still do was not tried.
  do    Set history to all to prove all of them with it.

0 revisions under judgement, upgrade and downgrade: nothing to prove.
1 warning.
passed
`,
  });
});

test("a file that landed revisions may read is told, a new one and a text for people are not", async () => {
  const { project, repository } = await landed();
  await using _ = project;
  repository.git("checkout", "-q", "main");
  repository.write("migrations/sql/seed.sql", "SELECT 1;\n");
  repository.write("migrations/README", "old\n");
  repository.commit();
  repository.git("checkout", "-q", "-b", "other");
  repository.write("migrations/sql/seed.sql", "SELECT 2;\n");
  repository.write("migrations/sql/more.sql", "SELECT 3;\n");
  repository.write("migrations/README", "new\n");
  repository.commit();
  const { code, report } = await judge({ cwd: project.path, args: ["--base", "main"] });
  expect({
    code,
    findings: report.findings.map(({ severity, rule, file }) => `${severity} ${rule} ${file}`),
  }).toEqual({ code: 0, findings: ["warning environment-edited migrations/sql/seed.sql"] });
});

test("a shallow checkout of GitHub's merge commit, in a folder of the repository", async () => {
  const files = Object.entries(alembicFiles({ revisions })).map(([file, text]) => [`back end/${file}`, text]);
  await using project = await writeProject(Object.fromEntries(files));
  const origin = repositoryIn(project.path);
  origin.commit();
  origin.git("checkout", "-qb", "topic");
  origin.write(
    `back end/${versions}/0001.py`,
    `${files.find(([file]) => file?.endsWith("0001.py"))?.[1]}edited = 1\n`,
  );
  const head = origin.commit();
  origin.git("checkout", "-q", "main");
  origin.write("README.md");
  const main = origin.commit();
  origin.git("merge", "-q", "--no-ff", "-m", "merge", "topic");
  origin.git("branch", "merged");
  origin.git("reset", "-q", "--hard", main);
  const clone = cloneOf(origin, join(project.path, "clone"), "--depth=1", "--branch=merged");
  const event = join(project.path, "event.json");
  writeFileSync(
    event,
    JSON.stringify({ pull_request: { base: { ref: "main", sha: main }, head: { sha: head } } }),
  );
  const { code, report } = await judge({
    cwd: clone.path,
    env: {
      GITHUB_EVENT_NAME: "pull_request",
      GITHUB_EVENT_PATH: event,
      MIGRATION_GATE_WORKING_DIRECTORY: "back end",
    },
  });
  expect({ code, base: report.base, findings: blames(report) }).toEqual({
    code: 1,
    base: { source: "pull_request", commit: main },
    findings: ["error revision-edited 0001"],
  });
  expect(report.revisions.map(({ id, state, judged }) => `${id} ${state} ${judged}`)).toEqual([
    "0001 edited true",
    "0002 unchanged false",
  ]);
});

test("a project in a submodule is judged by the submodule's own history", async () => {
  const { project, repository } = await landed();
  await using _ = project;
  await using outer = await writeProject({ "README.md": "" });
  const top = repositoryIn(outer.path);
  top.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", "-b", "main", repository.path, "sub");
  top.commit();
  rmSync(join(outer.path, "sub", versions, "0002.py"));
  const args = ["--working-directory", "sub", "--base", "main"];
  const { code, report } = await judge({ cwd: outer.path, args });
  expect({ code, findings: blames(report) }).toEqual({ code: 1, findings: ["error revision-deleted 0002"] });
});

test("the floor may be base", async () => {
  const { project } = await landed();
  await using _ = project;
  const { code } = await runCheck({ cwd: project.path, args: ["--base", "main", "--floor", "base"] });
  expect(code).toBe(0);
});

test("a folder that is gone", async () => {
  await using project = await writeProject({ "gone/a": "" });
  const gate = await gateBundle();
  const script = 'cd gone && rm -r ../gone && exec "$0" "$1" check';
  const end = spawnSync("sh", ["-c", script, process.execPath, gate], {
    cwd: project.path,
    encoding: "utf8",
  });
  expect({ code: end.status, stderr: end.stderr }).toEqual({
    code: 2,
    stderr: `error: The folder in which this was started is not there any more.
do    Change to a folder that is there, and start again.
`,
  });
});

test("the baseline takes an edit of a landed revision, and not the next edit of it", async () => {
  const { project, repository } = await landed();
  await using _ = project;
  const file = join(project.path, versions, "0001.py");
  const edit = (text: string) => appendFileSync(file, `${text} = 1\n`);
  const codeOf = async (...more: string[]) =>
    (await judge({ cwd: repository.path, args: ["--base", "main", ...more] })).code;
  edit("one");
  expect(await codeOf("--write-baseline")).toBe(0);
  expect(await codeOf()).toBe(0);
  edit("two");
  expect(await codeOf()).toBe(1);
});
