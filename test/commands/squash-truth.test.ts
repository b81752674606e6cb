import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterAll, beforeAll, describe, test } from "vitest";
import { urlOf } from "../../src/databases/postgres/connection";
import type { ShadowDatabase } from "../../src/shadow/server";
import { tables } from "../deploy/deployed";
import { type TestServer, testServer } from "../support/database";
import { repositoryIn } from "../support/git";
import {
  alembicFiles,
  alembicProject,
  type ProjectFiles,
  pythonBin,
  type RevisionSource,
  withPython,
  writeProject,
} from "../support/project";
import { compare } from "./compared";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const makes = (id: string, down: string | null, tables = id): RevisionSource => ({
  id,
  down,
  upgrade: [...tables].map((name) => `op.create_table("${name}", sa.Column("id", sa.Integer))`).join("\n"),
  downgrade: "",
});
const landed = [makes("a", null), makes("b", "a"), makes("c", "b"), makes("d", "c")];

/** Upgrades each database to its revision in one process of Python; what Alembic said of each, "" where it went well. */
const program = `
import json, os, sys
from alembic import command
from alembic.config import Config
said = []
for url, revision in json.loads(sys.argv[1]):
    if revision == "base":
        said.append("")
        continue
    os.environ["DATABASE_URL"] = url
    try:
        command.upgrade(Config("alembic.ini"), revision)
        said.append("")
    except Exception as error:
        said.append(str(error) or type(error).__name__)
print(json.dumps(said))
`;

function upgrade(path: string, jobs: readonly (readonly [ShadowDatabase, string])[]): string[] {
  const given = jobs.map(([{ address }, revision]) => [urlOf(address), revision]);
  const python = join(pythonBin(), "python");
  const env = { ...process.env, PYTHONDONTWRITEBYTECODE: "1" };
  const args = ["-c", program, JSON.stringify(given)];
  return JSON.parse(execFileSync(python, args, { cwd: path, env, encoding: "utf8" })) as string[];
}

/** What the change leaves. */
const squashes: Readonly<Record<string, readonly RevisionSource[]>> = {
  "all into a new one": [makes("s", null, "abcd")],
  "all, the last one's id kept": [makes("d", null, "abcd")],
  "all, the first one's id kept": [makes("a", null, "abcd")],
  "all, one in the middle kept": [makes("b", null, "abcd")],
  "all into a new one, and one more": [makes("s", null, "abcd"), makes("e", "s")],
  "all into two, the last one's id kept": [makes("s", null, "ab"), makes("d", "s", "cd")],
  "all into two, the first one's id kept": [makes("a", null, "ab"), makes("n", "a", "cd")],
  "all into two, both ids kept": [makes("a", null, "ab"), makes("d", "a", "cd")],
  "the lower ones": [makes("s", null, "abc"), makes("d", "s")],
  "the lower ones, the last one's id kept": [makes("c", null, "abc"), makes("d", "c")],
  "the middle ones": [makes("a", null), makes("s", "a", "bc"), makes("d", "s")],
  "the upper ones": [makes("a", null), makes("b", "a"), makes("s", "b", "cd")],
  "the upper ones, the first one's id kept": [makes("a", null), makes("b", "a"), makes("c", "b", "cd")],
};

describe("what the check says of an environment is what Alembic does there", () => {
  test.for(Object.entries(squashes))("%s", async ([, left], { expect }) => {
    await using project = await alembicProject({ revisions: landed });
    const repository = repositoryIn(project.path);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    // They go with the server.
    const databases: Record<string, ShadowDatabase> = {};
    for (const at of ["base", "a", "b", "c", "d"]) databases[at] = await server.database();
    const jobs = Object.entries(databases);
    expect(
      upgrade(
        project.path,
        jobs.map(([at, database]) => [database, at]),
      ),
    ).toEqual(jobs.map(() => ""));

    for (const { id } of landed) repository.remove(`migrations/versions/${id}.py`);
    for (const [file, text] of Object.entries(alembicFiles({ revisions: left })))
      if (file.startsWith("migrations/versions/")) repository.write(file, text);
    repository.commit();
    const judgements: Record<string, boolean> = {};
    for (const [at, database] of jobs) {
      const environment = { PLACE: urlOf(database.address) };
      const { findings } = await compare(project.path, ["--environments", "PLACE"], environment);
      expect(findings.map(({ rule }) => rule)).toEqual(["revision-squashed"]);
      judgements[at] = findings[0]?.severity === "note";
    }
    const said = upgrade(
      project.path,
      jobs.map(([, database]) => [database, "head"]),
    );
    const wanted = [
      "a",
      "alembic_version",
      ...(left.length > 1 && left[1]?.id === "e" ? ["b", "c", "d", "e"] : ["b", "c", "d"]),
    ];
    const truth: Record<string, boolean> = {};
    for (const [index, [at, { address }]] of jobs.entries()) {
      const has = await tables(address);
      truth[at] = said[index] === "" && JSON.stringify(has) === JSON.stringify(wanted);
    }
    expect(judgements).toEqual(truth);
  });
});

const create = (...names: string[]) => names.map((name) => `CREATE TABLE ${name} (id int);\n`).join("");
const sqlxFiles: ProjectFiles = {
  "migrations/1_a.sql": create("a"),
  "migrations/2_b.sql": create("b"),
  "migrations/3_c.sql": create("c"),
  "migrations/4_d.sql": create("d"),
};
const sqlxSquashes: Readonly<Record<string, ProjectFiles>> = {
  "all into the first version": { "migrations/1_all.sql": create("a", "b", "c", "d") },
  "all into two versions that were there": {
    "migrations/1_all.sql": create("a", "c"),
    "migrations/2_all.sql": create("b", "d"),
  },
  "all into a new version": { "migrations/9_all.sql": create("a", "b", "c", "d") },
  "the upper ones": {
    "migrations/1_a.sql": create("a"),
    "migrations/2_b.sql": create("b"),
    "migrations/3_c.sql": create("c", "d"),
  },
  "the upper ones into a new version": {
    "migrations/1_a.sql": create("a"),
    "migrations/2_b.sql": create("b"),
    "migrations/5_c.sql": create("c", "d"),
  },
};

describe("what the check says of an environment is what SQLx does there", () => {
  test.for(Object.entries(sqlxSquashes))("%s", async ([, left], { expect }) => {
    await using project = await writeProject({
      "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n',
      ...sqlxFiles,
    });
    const repository = repositoryIn(project.path);
    repository.git("config", "core.autocrlf", "false");
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    const run = ({ address }: ShadowDatabase, ...words: string[]) => {
      const env = { ...withPython(), DATABASE_URL: urlOf(address) };
      return spawnSync("sqlx", ["migrate", "run", ...words], { cwd: project.path, env }).status === 0;
    };
    const databases: Record<string, ShadowDatabase> = {};
    for (const at of ["0", "1", "2", "3", "4"]) {
      const database = await server.database();
      databases[at] = database;
      if (at !== "0") expect(run(database, "--target-version", at)).toBe(true);
    }
    for (const file of Object.keys(sqlxFiles)) repository.remove(file);
    for (const [file, text] of Object.entries(left)) repository.write(file, text);
    repository.commit();
    const judgements: Record<string, boolean> = {};
    const truth: Record<string, boolean> = {};
    for (const [at, database] of Object.entries(databases)) {
      const environment = { PLACE: urlOf(database.address) };
      const { findings } = await compare(project.path, ["--environments", "PLACE"], environment);
      expect(findings.map(({ rule }) => rule)).toEqual(["revision-squashed"]);
      judgements[at] = findings[0]?.severity === "note";
      const done = run(database);
      truth[at] = done && (await tables(database.address)).join() === "_sqlx_migrations,a,b,c,d";
    }
    expect(judgements).toEqual(truth);
  });
});
