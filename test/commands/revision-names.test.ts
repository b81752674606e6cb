import { execFileSync } from "node:child_process";
import { loadModule } from "libpg-query";
import { beforeAll, expect, test } from "vitest";
import { flaskFiles, table } from "../support/flask-project";
import { repositoryIn } from "../support/git";
import { type ProjectFiles, writeProject } from "../support/project";
import { compare } from "./compared";

beforeAll(() => loadModule());

const revision = (id: string, down: string | null, file: string, message = id) =>
  flaskFiles({ revisions: [table(id, down, { file, message })] })[`migrations/versions/${file}`] ?? "";
const landed = flaskFiles({
  revisions: [
    table("a1", null, { file: "a1_start.py" }),
    table("b2", "a1", { file: "b2_two.py" }),
    table("c3", "b2", { file: "c3_three.py" }),
  ],
});
const sqlx: ProjectFiles = {
  "sqlx.toml": "",
  "migrations/001_a.sql": "SELECT 1;\n",
  "migrations/002_b.sql": "SELECT 1;\n",
  "migrations/003_c.sql": "SELECT 1;\n",
};

test.each<[string, ProjectFiles, ProjectFiles, string]>([
  [
    "Flask-Migrate",
    landed,
    { "migrations/versions/it's new.py": revision("d4", "c3", "it's new.py", "Who's next: tables (2)?") },
    "git mv 'migrations/versions/it'\\''s new.py' migrations/versions/d4_who_s_next_tables_2.py",
  ],
  [
    "SQLx",
    sqlx,
    { "migrations/4_d.up.sql": "SELECT 1;\n", "migrations/4_d.down.sql": "SELECT 1;\n" },
    "git mv migrations/4_d.up.sql migrations/004_d.up.sql; git mv migrations/4_d.down.sql migrations/004_d.down.sql",
  ],
])(
  "%s: a new revision that is named otherwise is a note, until the line of it was typed",
  async (_, base, change, line) => {
    await using project = await writeProject(base);
    const repository = repositoryIn(project.path);
    repository.commit("landed");
    repository.git("checkout", "-qb", "topic");
    for (const [file, text] of Object.entries(change)) repository.write(file, text);
    repository.commit("new");
    const { findings } = await compare(project.path, []);
    expect(findings.map(({ rule, severity, do: advice }) => [severity, rule, advice])).toEqual([
      ["note", "revision-name-differs", line],
    ]);
    execFileSync("sh", ["-e", "-c", line], { cwd: project.path });
    repository.commit("renamed");
    expect((await compare(project.path, [])).findings).toEqual([]);
  },
);

test("a landed file that is renamed, and a project whose names are mixed, are nobody's business", async () => {
  await using project = await writeProject(landed);
  const repository = repositoryIn(project.path);
  repository.commit("landed");
  repository.git("checkout", "-qb", "topic");
  repository.git("mv", "migrations/versions/c3_three.py", "migrations/versions/three.py");
  repository.commit("renamed");
  expect((await compare(project.path, [])).findings).toEqual([]);
  repository.write("migrations/versions/other.py", revision("d4", "c3", "other.py"));
  repository.commit("new");
  expect((await compare(project.path, [])).findings).toEqual([]);
});
