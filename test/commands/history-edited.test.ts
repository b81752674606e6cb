import { describe, expect, test } from "vitest";
import { repositoryIn } from "../support/git";
import { alembicFiles, type RevisionSource, writeProject } from "../support/project";
import { compare } from "./compared";

const again = "A database that has applied it will not run it again";
const asBefore = `${again}: it keeps what the old text made, and a new database gets the other.`;
const users = (...more: string[]) =>
  `op.create_table("users", sa.Column("id", sa.Integer, primary_key=True)${more.map((each) => `, ${each}`).join("")})`;

interface Edit {
  readonly before: Partial<RevisionSource>;
  readonly after: Partial<RevisionSource>;
  readonly why: string;
}

const up = (upgrade: string): Partial<RevisionSource> => ({ upgrade });

/** Revision b, which follows a, before and after the edit. */
const edits: Readonly<Record<string, Edit>> = {
  "a column that is added to a new table": {
    before: up(users()),
    after: up(users('sa.Column("nickname", sa.String(20))')),
    why: `${again}. It will not get: column users.nickname (create table).`,
  },
  "a column of another type, and one that is gone": {
    before: up(users('sa.Column("name", sa.String(20))', 'sa.Column("age", sa.Integer, nullable=False)')),
    after: up(users('sa.Column("name", sa.Text)')),
    why: `${again}. It did what a new database does not: column users.age (create table). It has in another way: column users.name (create table): varchar(20) before, text now.`,
  },
  "a table and an index": {
    before: up(users()),
    after: up(
      `${users()}\nop.create_table("tags", sa.Column("id", sa.Integer), sa.Column("name", sa.Text))\nop.create_index("ix_tags", "tags", ["name"])`,
    ),
    why: `${again}. It will not get: table tags (create table), index ix_tags (create index).`,
  },
  "what is done no longer": {
    before: up('op.add_column("users", sa.Column("nickname", sa.Text))\nop.drop_table("old")'),
    after: up('op.add_column("users", sa.Column("nickname", sa.Text))'),
    why: `${again}. It did what a new database does not: table old (drop table).`,
  },
  "SQL in a string": {
    before: up("op.execute(\"CREATE TYPE mood AS ENUM ('good')\")"),
    after: up(
      'op.execute("CREATE TYPE mood AS ENUM (\'good\')")\nop.execute("ALTER TABLE users ADD COLUMN mood mood; INSERT INTO users VALUES (1)")',
    ),
    why: `${again}. It will not get: column users.mood (add column), rows of users (insert).`,
  },
  "another value in the same statement": {
    before: up("op.execute(\"UPDATE users SET name = 'a'\")"),
    after: up("op.execute(\"UPDATE users SET name = 'b'\")"),
    why: `${again}. It has in another way: rows of users (update): line 12 says something else.`,
  },
  "more than can be named": {
    before: up(""),
    after: up(
      [..."abcdefg"].map((name) => `op.add_column("users", sa.Column("${name}", sa.Text))`).join("\n"),
    ),
    why: `${again}. It will not get: column users.a (add column), column users.b (add column), column users.c (add column), column users.d (add column) and 3 more.`,
  },
  "a downgrade alone": {
    before: { upgrade: users(), downgrade: 'op.drop_table("user")' },
    after: { upgrade: users(), downgrade: 'op.drop_table("users")' },
    why: `${again}. Its upgrade does what it did. A rollback now also does: table users (drop table). A rollback no longer does: table user (drop table).`,
  },
  "what runs is known only when it runs": {
    before: up("op.execute(build())"),
    after: up("op.execute(make())"),
    why: `${again}. What differs is known only when it runs (line 12).`,
  },
  "what runs is known only when it runs, and is the same": {
    before: up("op.execute(build())"),
    after: up('op.execute("SET lock_timeout = 100")\nop.execute(build())'),
    why: `${again}. What its upgrade makes and changes is the same; what differs leaves no trace (line 12).`,
  },
  "a type that cannot be read": {
    before: up(users('sa.Column("name", CIText())', 'sa.Column("note", sa.Text)')),
    after: up(users('sa.Column("name", postgresql.CITEXT())', 'sa.Column("note", sa.String(9))')),
    why: `${again}. It has in another way: column users.note (create table): text before, varchar(9) now, column users.name (create table): line 12 says something else.`,
  },
  "what is beside the operations": {
    before: { ...up(users()), preamble: "later = 1" },
    after: { ...up(users()), preamble: "later = 2" },
    why: `${again}. The operations that can be read are the same in both texts; what differs is beside them.`,
  },
  "a COMMIT that is gone": {
    before: up(`op.execute("COMMIT")\n${users()}`),
    after: up(users()),
    why: `${again}. What its upgrade makes and changes is the same; what differs leaves no trace (line 12 of the landed text).`,
  },
  "nothing that operations show": {
    before: up("pass"),
    after: { upgrade: "pass", preamble: "later = 1" },
    why: asBefore,
  },
  "its parent alone": {
    before: { ...up(users()), down: "a" },
    after: { ...up(users()), down: null },
    why: `${again}: it keeps the order in which it ran them, and a new database runs them in another.`,
  },
};

describe("what a database with the revision will miss", () => {
  test.for(Object.entries(edits))("%s", async ([, { before, after, why }], { expect }) => {
    const first = { id: "a", down: null, upgrade: "", downgrade: "" };
    const filesWith = (b: Partial<RevisionSource>) =>
      alembicFiles({ revisions: [first, { id: "b", down: "a", upgrade: "", downgrade: "", ...b }] });
    await using project = await writeProject(filesWith(before));
    const repository = repositoryIn(project.path);
    repository.commit();
    repository.git("checkout", "-qb", "topic");
    repository.write("migrations/versions/b.py", filesWith(after)["migrations/versions/b.py"]);
    repository.commit();
    const { findings } = await compare(project.path, []);
    const [edited] = findings.filter(({ rule }) => rule === "revision-edited");
    expect(edited).toMatchObject({ severity: "error", revision: "b", why });
  });
});

const cargo = { "Cargo.toml": '[dependencies]\nsqlx = { version = "0.8" }\n' };

test("of a file of SQL, whose every byte counts", async () => {
  const file = "migrations/1_users.sql";
  await using project = await writeProject({ ...cargo, [file]: "CREATE TABLE users (id int, name text);\n" });
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  const whyOf = async (text: string) => {
    repository.write(file, text);
    const { findings } = await compare(project.path, []);
    return findings.find(({ rule }) => rule === "revision-edited")?.why;
  };
  const refuses =
    "Every database that has applied it refuses the next deploy: migration 1 was previously applied but has been modified.";
  expect(await whyOf("CREATE TABLE users (id int, name text, age int);\n")).toBe(
    `${refuses} It will not get: column users.age (create table).`,
  );
  expect(await whyOf("-- people\nCREATE TABLE users (id int, name text);\n")).toBe(refuses);
});

test("one whose parent was spliced in, and that does more", async () => {
  const first = { id: "a", down: null, upgrade: "", downgrade: "" };
  const second = { id: "b", down: "a", upgrade: "", downgrade: "" };
  await using project = await writeProject(alembicFiles({ revisions: [first, second] }));
  const repository = repositoryIn(project.path);
  repository.commit();
  repository.git("checkout", "-qb", "topic");
  const between = { id: "between", down: "a", upgrade: "", downgrade: "" };
  const files = alembicFiles({ revisions: [between, { ...second, down: "between", upgrade: users() }] });
  for (const id of ["b", "between"])
    repository.write(`migrations/versions/${id}.py`, files[`migrations/versions/${id}.py`]);
  repository.commit();
  const { findings } = await compare(project.path, []);
  expect(findings.map(({ rule, why }) => ({ rule, why }))).toEqual([
    {
      rule: "revision-edited",
      why: 'A database that has applied it will never run "between", spliced in below it. It will not get: table users (create table).',
    },
  ]);
});
