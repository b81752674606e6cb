import { execFileSync } from "node:child_process";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { judge } from "../support/gate";
import { repositoryIn } from "../support/git";
import { alembicFiles, type ProjectFiles, writeProject } from "../support/project";
import { checkoutOf } from "./checkout";
import { type Changes, landed, project, revision, revisionFiles, toldBy } from "./shape";

const adds = revisionFiles(
  revision(
    "0003",
    "0002",
    'op.add_column("users", sa.Column("city", sa.Text))',
    'op.drop_column("users", "city")',
  ),
);
/** Loses values in the deploy lane alone. */
const cuts = (id = "0003", down = "0002") =>
  revisionFiles(
    revision(
      id,
      down,
      'op.execute("ALTER TABLE users ALTER COLUMN nickname TYPE varchar(3) USING left(nickname, 3)")',
      'op.alter_column("users", "nickname", type_=sa.String(80))',
    ),
  );
const cut = (id = "0003") => [
  `warning ban-table-rewrite ${id} column users.nickname`,
  `warning upgrade-loses-data ${id} column public.users.nickname`,
];
const said = "rules:\n  revision-edited: { severity: off, because: it never ran anywhere }\n";

interface Unbuilt {
  readonly base: ProjectFiles;
  readonly change: Changes;
  readonly args?: readonly string[];
  readonly cause: string;
  readonly reason: string;
}

const unbuilt: Readonly<Record<string, Unbuilt>> = {
  "a package that the base needs and this machine does not have": {
    base: alembicFiles({ revisions: landed, envPreamble: "import gone_package" }),
    change: { ...adds, "migrations/env.py": project()["migrations/env.py"] ?? "" },
    cause: "environment",
    reason: "gone_package",
  },
  "a landed revision that fails, and that the change mends": {
    base: {
      ...project([...landed.slice(0, 1), revision("0002", "0001", 'op.drop_table("nowhere")', "")]),
      "migration-gate.yml": said,
    },
    change: { ...revisionFiles(...landed.slice(1)), ...adds },
    cause: "migration",
    reason: 'revision "0002" of the base\'s own files cannot be applied to an empty database',
  },
  "a setup that fails on the base's files": {
    base: { ...project(), "setup.sql": "CREATE SCHEMA app;\nSELECT * FROM nowhere;\n" },
    change: { ...adds, "setup.sql": "CREATE SCHEMA app;\n" },
    args: ["--setup", "setup.sql"],
    cause: "settings",
    reason: 'relation "nowhere" does not exist',
  },
};

describe("a base that cannot be built", () => {
  test.each(Object.entries(unbuilt))("%s", async (_, one) => {
    const { base, change, args = [], cause, reason } = one;
    await using checkout = await checkoutOf(base, change);
    const end = await checkout.check(args);
    expect(toldBy(end)).toEqual({
      code: 0,
      findings: [],
      notes: ["note deploy-lane-not-proved -"],
      lane: "not proved",
    });
    expect(end.report.deployLane).toMatchObject({ cause, reason: expect.stringContaining(reason) });
    const required = await checkout.check([...args, "--require", "deploy-lane"]);
    expect(toldBy(required)).toMatchObject({ code: 1, findings: ["error deploy-lane-not-proved -"] });
  });
});

const nothing: Readonly<Record<string, { readonly base: ProjectFiles; readonly reason: string }>> = {
  "without a project": { base: { "README.md": "Soon.\n" }, reason: "the base has no migrations" },
  "without revisions": { base: project([]), reason: "the base has no revisions" },
};

describe("a base on which nothing is deployed", () => {
  test.each(Object.entries(nothing))("%s", async (_, { base, reason }) => {
    await using checkout = await checkoutOf(base, project());
    const { code, report } = await checkout.check(["--require", "deploy-lane"]);
    expect({ code, lane: report.deployLane?.status }).toEqual({ code: 0, lane: "skipped" });
    expect(report.deployLane?.reason).toContain(reason);
  });
});

test("a project in a subfolder with spaces and quotes in its path", async () => {
  const inner = `we're "here", $HOME/back end`;
  const moved = (files: Readonly<Record<string, string | null>>) =>
    Object.fromEntries(Object.entries(files).map(([file, text]) => [`${inner}/${file}`, text]));
  await using checkout = await checkoutOf(
    { "README.md": "x\n", ...(moved(project()) as ProjectFiles) },
    moved(cuts()),
  );
  const end = await judge({ cwd: join(checkout.project.path, inner), args: ["--base", "main"] });
  expect(toldBy(end)).toEqual({ code: 0, findings: cut(), notes: [], lane: "proved" });
});

test("what git leaves out or changes: export-ignore, a submodule, a symlink, an ignored .env that env.py needs", async () => {
  const files = alembicFiles({
    revisions: landed,
    envPreamble:
      "import pathlib\nroot = pathlib.Path(__file__).parents[1]\nassert (root / 'lib' / 'names.py').is_file()\nassert 'SECRET=1' in (root / '.env').read_text()",
  });
  await using written = await writeProject({
    ...files,
    "shared/names.py": "x = 1\n",
    ".gitignore": ".env\n",
    ".env": "SECRET=1\n",
    ".gitattributes": "migrations/** export-ignore\n*.py text eol=lf\n",
  });
  const repository = repositoryIn(written.path);
  symlinkSync("shared", join(written.path, "lib"));
  repository.git("add", "-A");
  repository.git("update-index", "--add", "--cacheinfo", `160000,${"1".repeat(40)},vendor/sub`);
  repository.git("commit", "-qm", "base");
  repository.git("checkout", "-qb", "topic");
  for (const [file, text] of Object.entries(cuts())) repository.write(file, text);
  repository.git("add", "migrations");
  repository.git("commit", "-qm", "change");
  const before = repository.git("status", "--porcelain");
  const end = await judge({ cwd: written.path, args: ["--base", "main"] });
  expect(toldBy(end), end.stderr).toEqual({ code: 0, findings: cut(), notes: [], lane: "proved" });
  expect(repository.git("status", "--porcelain")).toBe(before);
  expect(repository.git("worktree", "list").split("\n")).toHaveLength(1);
});

test("SQL files that git writes with other line ends than it keeps", async () => {
  await using written = await writeProject({
    ".gitattributes": "*.sql text eol=crlf\n",
    "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8", features = ["postgres"] }\n',
    "migrations/1_a.up.sql": "CREATE TABLE a (id int PRIMARY KEY);\n",
    "migrations/1_a.down.sql": "DROP TABLE a;\n",
  });
  const repository = repositoryIn(written.path);
  repository.commit("base");
  repository.git("checkout", "-qb", "topic");
  repository.write("migrations/2_b.up.sql", "ALTER TABLE a ADD COLUMN b text;\n");
  repository.write("migrations/2_b.down.sql", "ALTER TABLE a DROP COLUMN b;\n");
  repository.commit("change");
  // As a checkout has them.
  execFileSync("rm", ["-r", join(written.path, "migrations")]);
  repository.git("checkout", "--", ".");
  const end = await judge({ cwd: written.path, args: ["--base", "main"] });
  expect(toldBy(end)).toEqual({ code: 0, findings: [], notes: [], lane: "proved" });
});
