import { describe, expect, test } from "vitest";
import { flaskFiles } from "../support/flask-project";
import { type Repository, repositoryIn } from "../support/git";
import { alembicFiles, type ProjectFiles, type RevisionSource, writeProject } from "../support/project";
import { compare } from "./compared";

const revision = (id: string, down: string | null): RevisionSource => ({
  id,
  down,
  upgrade: `op.create_table("t_${id}", sa.Column("id", sa.Integer))`,
  downgrade: `op.drop_table("t_${id}")`,
});
const revisions = [revision("a", null), revision("b", "a"), revision("c", "b")];
const files = alembicFiles({ revisions });
const versions = "migrations/versions";
const ini = (lines: string) => `[alembic]\n${lines}\n`;
const movedTo = (folder: string, from = versions): ProjectFiles =>
  Object.fromEntries(
    Object.entries(files).map(([file, text]) => [file.replace(`${from}/`, `${folder}/`), text]),
  );

interface Move {
  readonly files: ProjectFiles;
  readonly move: (repository: Repository) => void;
  /** Where a, b and c are after it. */
  readonly now: Readonly<Record<"a" | "b" | "c", string>>;
  readonly args?: readonly string[];
}

const inFolder = (folder: string) => ({ a: `${folder}/a.py`, b: `${folder}/b.py`, c: `${folder}/c.py` });
const sqlxIn = (folder: string): ProjectFiles => ({
  "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n',
  ...Object.fromEntries(
    ["a", "b", "c"].map((name, index) => [
      `${folder}/${index + 1}_${name}.sql`,
      `CREATE TABLE ${name} (id int);\n`,
    ]),
  ),
});

/** The ids of a, b and c. */
const idsOf = (move: Move) => (move.now.a.endsWith(".sql") ? ["1", "2", "3"] : ["a", "b", "c"]);

const moves: Readonly<Record<string, Move>> = {
  script_location: {
    files,
    move: ({ git, write }) => {
      git("mv", "migrations", "db");
      write("alembic.ini", ini("script_location = %(here)s/db"));
    },
    now: inFolder("db/versions"),
  },
  "script_location in pyproject.toml": {
    files: {
      ...Object.fromEntries(Object.entries(files).filter(([file]) => file !== "alembic.ini")),
      "pyproject.toml": '[tool.alembic]\nscript_location = "%(here)s/migrations"\n',
    },
    move: ({ git, write }) => {
      git("mv", "migrations", "db");
      write("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/db"\n');
    },
    now: inFolder("db/versions"),
  },
  "alembic.ini becomes pyproject.toml": {
    files,
    move: ({ git, write, remove }) => {
      git("mv", "migrations", "db");
      remove("alembic.ini");
      write("pyproject.toml", '[tool.alembic]\nscript_location = "%(here)s/db"\n');
    },
    now: inFolder("db/versions"),
  },
  "the folder of versions alone": {
    files,
    move: ({ git, write }) => {
      git("mv", versions, "migrations/revisions");
      write("alembic.ini", ini("script_location = migrations\nversion_locations = migrations/revisions"));
    },
    now: inFolder("migrations/revisions"),
  },
  "folders of years": {
    files,
    move: ({ git, write }) => {
      for (const [id, year] of [
        ["a", "2024"],
        ["b", "2025"],
        ["c", "2025"],
      ]) {
        write(`${versions}/${year}/.keep`, "");
        git("mv", `${versions}/${id}.py`, `${versions}/${year}/${id}.py`);
      }
      write("alembic.ini", ini("script_location = migrations\nrecursive_version_locations = true"));
    },
    now: { a: `${versions}/2024/a.py`, b: `${versions}/2025/b.py`, c: `${versions}/2025/c.py` },
  },
  "the folder of one of two sections": {
    files: {
      ...files,
      "alembic.ini": `${ini("script_location = other")}[tenants]\nscript_location = migrations\n`,
      "other/env.py": "",
      "other/versions/o.py": 'revision = "o"\ndown_revision = None\n',
    },
    move: ({ git, write }) => {
      git("mv", "migrations", "tenants");
      write("alembic.ini", `${ini("script_location = other")}[tenants]\nscript_location = tenants\n`);
    },
    now: inFolder("tenants/versions"),
    args: ["--section", "tenants"],
  },
  "one of several version locations": {
    files: {
      ...movedTo("one"),
      "alembic.ini": ini("script_location = migrations\nversion_locations = one two"),
      "two/other.py": files[`${versions}/a.py`]?.replaceAll('"a"', '"other"') ?? "",
    },
    move: ({ git, write }) => {
      git("mv", "one", "first");
      write("alembic.ini", ini("script_location = migrations\nversion_locations = first two"));
    },
    now: inFolder("first"),
  },
  "out of one version location into another": {
    files: {
      ...movedTo("one"),
      "alembic.ini": ini("script_location = migrations\nversion_locations = one two"),
      "two/other.py": files[`${versions}/a.py`]?.replaceAll('"a"', '"other"') ?? "",
    },
    move: ({ git }) => git("mv", "one/a.py", "one/b.py", "one/c.py", "two"),
    now: inFolder("two"),
  },
  "the whole project": {
    files: Object.fromEntries(Object.entries(files).map(([file, text]) => [`one/${file}`, text])),
    move: ({ git }) => git("mv", "one", "two"),
    now: inFolder(`two/${versions}`),
  },
  "other file names": {
    files,
    move: ({ git }) => {
      for (const id of ["a", "b", "c"]) git("mv", `${versions}/${id}.py`, `${versions}/2025_${id}_x.py`);
    },
    now: { a: `${versions}/2025_a_x.py`, b: `${versions}/2025_b_x.py`, c: `${versions}/2025_c_x.py` },
  },
  "Flask-Migrate's folder": {
    files: flaskFiles({ revisions }),
    move: ({ git }) => git("mv", "migrations", "db"),
    now: inFolder("db/versions"),
  },
  "SQLx's folder": {
    files: sqlxIn("migrations"),
    move: ({ git, write }) => {
      write("db/.keep", "");
      git("mv", "migrations", "db/migrations");
    },
    now: { a: "db/migrations/1_a.sql", b: "db/migrations/2_b.sql", c: "db/migrations/3_c.sql" },
    args: ["--config", "db/migrations"],
  },
};

interface Variant {
  readonly change: (repository: Repository, move: Move) => void;
  /** Findings by the ids of a, b and c. */
  readonly findings: (ids: readonly string[]) => readonly string[];
}

const more = (file: string, text: string) =>
  file.endsWith(".sql") ? `${text}SELECT 1;\n` : `${text}later = 1\n`;

const variants: Readonly<Record<string, Variant>> = {
  "and nothing else": { change: () => undefined, findings: () => [] },
  "and one is edited": {
    change: (repository, { now }) => {
      const text = repository.git("show", `HEAD:${now.b}`);
      repository.write(now.b, more(now.b, `${text}\n`));
    },
    findings: (ids) => [`error revision-edited ${ids[1]}`],
  },
  "and the last one is deleted": {
    change: (repository, { now }) => repository.remove(now.c),
    findings: (ids) => [`error revision-deleted ${ids[2]}`],
  },
};

describe.each(Object.entries(moves))("moved: %s", (_, move) => {
  test.each(Object.entries(variants))("%s", async (_, { change, findings: wanted }) => {
    await using project = await writeProject(move.files);
    const repository = repositoryIn(project.path);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    move.move(repository);
    repository.commit();
    change(repository, move);
    repository.commit();
    const { findings } = await compare(project.path, move.args ?? []);
    // Two version locations have a base each, as they had before.
    const own = findings.filter(({ rule }) => rule !== "multiple-heads");
    expect(own.map(({ severity, rule, revision }) => `${severity} ${rule} ${revision}`)).toEqual(
      wanted(idsOf(move)),
    );
  });
});
