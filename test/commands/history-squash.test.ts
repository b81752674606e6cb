import { describe, expect, test } from "vitest";
import type { Finding } from "../../src/model/finding";
import { flaskFiles } from "../support/flask-project";
import { type Repository, repositoryIn } from "../support/git";
import { alembicFiles, type ProjectFiles, type RevisionSource, writeProject } from "../support/project";
import { compare } from "./compared";

const versions = "migrations/versions";

/** A revision that makes one table for each letter. */
const makes = (id: string, down: string | null, tables = id): RevisionSource => ({
  id,
  down,
  upgrade: [...tables].map((name) => `op.create_table("${name}", sa.Column("id", sa.Integer))`).join("\n"),
  downgrade: [...tables].map((name) => `op.drop_table("${name}")`).join("\n"),
});
const landed = [makes("a", null), makes("b", "a"), makes("c", "b"), makes("d", "c")];

interface Squash {
  readonly gone: readonly string[];
  readonly write: readonly RevisionSource[];
  /** Each finding by rule and revision, and what is asked of the first one. */
  readonly findings: readonly string[];
  readonly first: Partial<Finding>;
}

async function findingsOf(
  files: ProjectFiles,
  change: (repository: Repository) => void,
): Promise<{ readonly findings: readonly Finding[]; readonly commit: string }> {
  await using project = await writeProject(files);
  const repository = repositoryIn(project.path);
  const commit = repository.commit().slice(0, 10);
  repository.git("checkout", "-qb", "topic");
  change(repository);
  repository.commit();
  const { findings } = await compare(project.path, []);
  const clean = JSON.stringify(findings).replaceAll(commit, "<base>");
  return { findings: JSON.parse(clean) as Finding[], commit };
}

function written(repository: Repository, revisions: readonly RevisionSource[]): void {
  for (const [file, text] of Object.entries(alembicFiles({ revisions })))
    if (file.startsWith(versions)) repository.write(file, text);
}

const lost = (id: string) => `Can't locate revision identified by '${id}'.`;
const restore = `Or restore them: git checkout <base> -- ${versions}`;

const squashes: Readonly<Record<string, Squash>> = {
  "all of them into a new one": {
    gone: ["a", "b", "c", "d"],
    write: [makes("s", null, "abcd")],
    findings: ["error revision-squashed s"],
    first: {
      file: `${versions}/s.py`,
      what: 'Revisions "a" to "d" (4) were squashed into "s".',
      seen: `Gone since <base>, the base commit (--base): ${versions}/a.py, ${versions}/b.py, ${versions}/c.py, ${versions}/d.py.`,
      why: `A database that is at one of them, and production is at the last, stops at every command: ${lost("d")}`,
      do: `Give the squash the id of the last one: revision = "d" in ${versions}/s.py. Then a database that is at "d" goes on, and every other is brought there before this is deployed.\nOr keep the new id, and write it down on every database that has all of them, right before the deploy: alembic stamp --purge s\n${restore}`,
    },
  },
  "all of them into one with the id of the last": {
    gone: ["a", "b", "c"],
    write: [makes("d", null, "abcd")],
    findings: ["warning revision-squashed d"],
    first: {
      what: 'Revisions "a" to "d" (4) were squashed into "d", which keeps the id of the last one.',
      why: `A database that is at "d" or a later one goes on; one that is at an older one of them stops at every command: ${lost("a")}`,
      do: `Bring every database to "d" or a later one before this is deployed; list them in the setting environments, and the check reads that they are.\n${restore}`,
    },
  },
  "all of them into one with the id of the first": {
    gone: ["b", "c", "d"],
    write: [makes("a", null, "abcd")],
    findings: ["error revision-squashed a"],
    first: {
      what: 'Revisions "a" to "d" (4) were squashed into "a".',
      why: `A database that is at a later one of them stops at every command: ${lost("d")} One that is at "a" counts as having all of it, and never gets the rest.`,
      do: `Give the squash the id of the last one: revision = "d" in ${versions}/a.py. Then a database that is at "d" goes on, and every other is brought there before this is deployed.\n${restore}`,
    },
  },
  "the oldest ones, below one that stays": {
    gone: ["a", "b", "c"],
    write: [makes("s", null, "abc"), makes("d", "s")],
    findings: ["warning revision-squashed s"],
    first: {
      what: 'Revisions "a" to "c" (3) were squashed into "s".',
      why: `A database that is at "d" or a later one goes on; one that is at an older one of them stops at every command: ${lost("c")}`,
      do: `Bring every database to "d" or a later one before this is deployed; list them in the setting environments, and the check reads that they are.\n${restore}`,
    },
  },
  "the oldest ones into the first, below one that stays": {
    gone: ["b", "c"],
    write: [makes("a", null, "abc"), makes("d", "a")],
    findings: ["warning revision-squashed a"],
    first: {
      why: `A database that is at "d" or a later one goes on; one that is at an older one of them stops at every command: ${lost("c")} One that is at "a" counts as having all of it, and never gets the rest.`,
    },
  },
  "the newest ones": {
    gone: ["c", "d"],
    write: [makes("s", "b", "cd")],
    findings: ["error revision-squashed s"],
    first: { what: 'Revisions "c" and "d" were squashed into "s".' },
  },
  "with a new one on top, and one that is edited for itself": {
    gone: ["b", "c", "d"],
    write: [
      makes("s", "a", "bcd"),
      // Works on a table of the squash, and is none of it.
      {
        ...makes("n", "s"),
        upgrade: 'op.add_column("b", sa.Column("more", sa.Text))\nop.alter_column("c", "id", type_=sa.Text)',
      },
      makes("a", null, "ax"),
    ],
    findings: ["error revision-edited a", "error revision-squashed s"],
    first: {
      rule: "revision-squashed",
      what: 'Revisions "b" to "d" (3) were squashed into "s".',
    },
  },
  "all of them into one that does nothing, with the id of the last": {
    gone: ["a", "b", "c"],
    write: [makes("d", null, "")],
    findings: ["error revision-squashed d"],
    first: {
      what: 'Revisions "a" to "d" (4) were squashed into "d", which keeps the id of the last one.',
      why: `A database that is at "d" or a later one goes on; one that is at an older one of them stops at every command: ${lost("a")} A new database will not get: table a, table b, table c, table d.`,
      do: `Write what is missing into ${versions}/d.py; where create_all or a dump makes it (the setting setup), accept revision-squashed with that reason.\nBring every database to "d" or a later one before this is deployed; list them in the setting environments, and the check reads that they are.\n${restore}`,
    },
  },
  "all of them into a new one that forgets a table": {
    gone: ["a", "b", "c", "d"],
    write: [makes("s", null, "abd"), makes("n", "s", "x")],
    findings: ["error revision-squashed s"],
    first: {
      why: `A database that is at one of them, and production is at the last, stops at every command: ${lost("d")} A new database will not get: table c.`,
    },
  },
  "all of them into two": {
    gone: ["a", "b", "c", "d"],
    write: [makes("s", null, "ab"), makes("n", "s", "cd")],
    findings: ["error revision-squashed s"],
    first: {
      what: 'Revisions "a" to "d" (4) were squashed into "s" and "n".',
      why: `A database that is at one of them, and production is at the last, stops at every command: ${lost("d")}`,
      do: `Give the last of them the id of the last one: revision = "d" in ${versions}/n.py. Then a database that is at "d" goes on, and every other is brought there before this is deployed.\nOr keep the new id, and write it down on every database that has all of them, right before the deploy: alembic stamp --purge n\n${restore}`,
    },
  },
  "all of them into two, the last one's id kept": {
    gone: ["a", "b", "c"],
    write: [makes("s", null, "ab"), makes("d", "s", "cd")],
    findings: ["warning revision-squashed s"],
    first: {
      what: 'Revisions "a" to "d" (4) were squashed into "s" and "d", which keeps the id of the last one.',
    },
  },
  "all of them into two, the first one's id kept": {
    gone: ["b", "c", "d"],
    write: [makes("a", null, "ab"), makes("n", "a", "cd")],
    findings: ["error revision-squashed a"],
    first: {
      why: `A database that is at a later one of them stops at every command: ${lost("d")} One that is at "a" counts as having all of it, and never gets the rest.`,
    },
  },
  "the first one is gone, and the next begins the history": {
    gone: ["a"],
    write: [makes("b", null)],
    findings: ["error revision-squashed b"],
    first: {
      what: 'Revisions "a" and "b" were squashed into "b", which keeps the id of the last one.',
    },
  },
  "no squash: something else in their place": {
    gone: ["c", "d"],
    write: [makes("n", "b", "xyz")],
    findings: ["error revision-deleted c", "error revision-deleted d"],
    first: {},
  },
  "no squash: one is gone, and the next follows its parent": {
    gone: ["b"],
    write: [makes("c", "a")],
    findings: ["error revision-deleted b", "error revision-edited c"],
    first: {},
  },
  "no squash: one got a new id, and the next follows it": {
    gone: ["c"],
    write: [makes("c2", "b", "c"), makes("d", "c2")],
    findings: ["error revision-deleted c"],
    first: {
      do: `Give it its id again: git checkout <base> -- ${versions}/c.py ${versions}/d.py; git rm ${versions}/c2.py\nOr write it down anew on every database that is at "c", right before the deploy: alembic stamp --purge c2`,
    },
  },
  "no squash: one got a new id, and the next does more": {
    gone: ["c"],
    write: [makes("c2", "b", "c"), makes("d", "c2", "dx")],
    findings: ["error revision-deleted c", "error revision-edited d"],
    first: {},
  },
  "no squash: all got new ids": {
    gone: ["c", "d"],
    write: [makes("c2", "b", "c"), makes("d2", "c2", "d")],
    findings: ["error revision-deleted c", "error revision-deleted d"],
    first: {
      what: 'Revision "c" was given another id after it had landed.',
      seen: `${versions}/c.py is in <base>, the base commit (--base), and has the id "c2" now.`,
      do: `Give it its id again: git checkout <base> -- ${versions}/c.py; git rm ${versions}/c2.py\nOr write it down anew on every database that is at "c", right before the deploy: alembic stamp --purge c2`,
    },
  },
};

describe("a squash", () => {
  test.for(Object.entries(squashes))(
    "%s",
    async ([, { gone, write, findings: wanted, first }], { expect }) => {
      const { findings } = await findingsOf(alembicFiles({ revisions: landed }), (repository) => {
        for (const id of gone) repository.remove(`${versions}/${id}.py`);
        written(repository, write);
      });
      expect(
        findings.map(({ severity, rule, revision }) => `${severity} ${rule} ${revision}`).sort(),
      ).toEqual(wanted);
      expect(findings[0]).toMatchObject(first);
    },
  );

  test("by Flask-Migrate's line", async () => {
    const { findings } = await findingsOf(flaskFiles({ revisions: landed }), (repository) => {
      for (const { id } of landed) repository.remove(`${versions}/${id}.py`);
      written(repository, [makes("s", null, "abcd")]);
    });
    expect(findings).toHaveLength(1);
    expect(findings[0]?.do).toContain("right before the deploy: flask db stamp --purge s\n");
  });
});

const sqlxFiles: ProjectFiles = {
  "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n',
  "migrations/1_users.sql": "CREATE TABLE users (id int);\n",
  "migrations/2_tags.sql": "CREATE TABLE tags (id int);\n",
  "migrations/3_name.sql": "ALTER TABLE users ADD COLUMN name text;\n",
  "migrations/4_files.sql": "CREATE TABLE files (id int);\n",
};
const sqlxSquash = "CREATE TABLE users (id int, name text);\nCREATE TABLE tags (id int);\n";

describe("a squash of SQLx", () => {
  test("that uses versions again", async () => {
    const { findings } = await findingsOf(sqlxFiles, (repository) => {
      for (const file of ["1_users", "2_tags", "3_name", "4_files"])
        repository.remove(`migrations/${file}.sql`);
      repository.write("migrations/1_base.sql", sqlxSquash);
      repository.write("migrations/2_it's.sql", "CREATE TABLE files (id int);\n");
    });
    expect(findings).toHaveLength(1);
    const [finding] = findings;
    expect(finding).toMatchObject({
      rule: "revision-squashed",
      severity: "error",
      revision: "1",
      file: "migrations/1_base.sql",
      what: "Landed migrations were squashed: 3 and 4 are gone; 1 and 2 have other content now.",
      seen: "Gone since <base>, the base commit (--base): migrations/3_name.sql, migrations/4_files.sql.",
      why: "Every database that has applied them refuses the next deploy: migration 3 was previously applied but is missing in the resolved migrations. Then: migration 1 was previously applied but has been modified.",
    });
    const sums = ["[0-9a-f]{96}", "[0-9a-f]{96}"];
    expect(finding?.do).toMatch(
      new RegExp(
        `^Keep the old files: new databases get the same by them.
Or write the rows anew, .* on every database that has all of 1 to 4 \\(4\\) .*:
BEGIN;
${["3", "4", "1", "2"].map((id) => `DELETE FROM "_sqlx_migrations" WHERE version = ${id};`).join("\n")}
INSERT INTO "_sqlx_migrations" \\(.*\\) VALUES \\(1, 'base', TRUE, '\\\\x${sums[0]}', -1\\);
INSERT INTO "_sqlx_migrations" \\(.*\\) VALUES \\(2, 'it''s', TRUE, '\\\\x${sums[1]}', -1\\);
COMMIT;
Or restore them: git checkout <base> -- migrations$`,
      ),
    );
  });

  test("into a new version", async () => {
    const { findings } = await findingsOf(sqlxFiles, (repository) => {
      for (const file of ["1_users", "2_tags", "3_name", "4_files"])
        repository.remove(`migrations/${file}.sql`);
      repository.write("migrations/10_base.sql", `${sqlxSquash}CREATE TABLE files (id int);\n`);
      repository.write("migrations/11_more.sql", "CREATE TABLE more (id int);\n");
    });
    expect(findings.map(({ rule, revision, what }) => ({ rule, revision, what }))).toEqual([
      {
        rule: "revision-squashed",
        revision: "10",
        what: "Landed migrations were squashed: 1 to 4 (4) are gone; 10 is in their place.",
      },
    ]);
  });

  test("is not a renumbering", async () => {
    const { findings } = await findingsOf(sqlxFiles, (repository) =>
      repository.git("mv", "migrations/4_files.sql", "migrations/5_files.sql"),
    );
    expect(findings.map(({ rule, revision, what }) => ({ rule, revision, what }))).toEqual([
      {
        rule: "revision-deleted",
        revision: "4",
        what: 'Revision "4" was given another id after it had landed.',
      },
    ]);
    expect(findings[0]?.do).toMatch(
      /^Give it its id again: git checkout <base> -- migrations\/4_files.sql; git rm migrations\/5_files.sql\nOr write it down anew on every database that has 4, right before the deploy: BEGIN; DELETE FROM "_sqlx_migrations" WHERE version = 4; INSERT INTO .* VALUES \(5, 'files', .*\); COMMIT;$/,
    );
  });
});
