import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { formatError, type UserError } from "../../src/errors";
import { runSetup } from "../../src/shadow/setup";
import { type TestServer, testClient, testServer } from "../support/database";
import { temporaryDirectory } from "./temporary";

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server[Symbol.asyncDispose]());

const noCommand = () => Promise.reject(new Error("no command was expected"));

test("a SQL file is run on the database", async () => {
  await using directory = await temporaryDirectory();
  writeFileSync(
    join(directory.path, "setup.sql"),
    "\uFEFFCREATE SCHEMA app;\nCREATE TABLE app.t (text text DEFAULT '\n\\d is text here');\nINSERT INTO app.t DEFAULT VALUES;\n",
  );
  await using database = await server.database();
  await runSetup("setup.sql", database, noCommand, directory.path);
  await using connection = await testClient(database.address);
  expect((await connection.client.query("SELECT text FROM app.t")).rows).toEqual([
    { text: "\n\\d is text here" },
  ]);
});

test("anything else is a command", async () => {
  await using database = await server.database();
  const commands: unknown[] = [];
  await runSetup("make seed", database, async (command, { name }) => void commands.push([command, name]));
  expect(commands).toEqual([["make seed", database.name]]);
});

test.each([
  {
    name: "a syntax error is shown with line, column and caret",
    sql: "SELECT 1;\nSELECT\tFORM;\nSELECT 'x' FORM t;\n",
    message: [
      "error: The setup file failed.",
      "where setup.sql:3:17",
      'seen  syntax error at or near "t" (42601)',
      "      SELECT 'x' FORM t;",
      "                      ^",
      "do    Correct the file.",
    ],
  },
  {
    name: "characters beyond the basic plane count as one",
    sql: "-- 🐘🐘 é\r\nSELECT '🐘é', nothing;\r\n",
    message: [
      "error: The setup file failed.",
      "where setup.sql:2:14",
      'seen  column "nothing" does not exist (42703)',
      "      SELECT '🐘é', nothing;",
      "                   ^",
      "do    Correct the file.",
    ],
  },
  {
    name: "an error without a position names the file",
    sql: "CREATE TABLE t (n int PRIMARY KEY);\nINSERT INTO t VALUES (1), (1);",
    message: [
      "error: The setup file failed.",
      "where setup.sql",
      'seen  duplicate key value violates unique constraint "t_pkey"; Key (n)=(1) already exists. (23505)',
      "do    Correct the file.",
    ],
  },
  {
    name: "a psql command is named",
    sql: "SELECT 1;\n  \\connect other\nSELECT 2;",
    message: [
      "error: The setup file failed.",
      "where setup.sql:2:3",
      'seen  syntax error at or near "\\" (42601)',
      "        \\connect other",
      "        ^",
      "do    Remove the psql command \\connect, or set `setup` to a command that runs the file with psql.",
    ],
  },
  {
    name: "COPY with its rows is named",
    sql: "CREATE TABLE t (n int, name text);\nCOPY t (n, name) FROM stdin;\n1\tone\n\\.\n",
    message: [
      "error: The setup file failed.",
      "where setup.sql:3:1",
      'seen  syntax error at or near "1" (42601)',
      "      1\tone",
      "      ^",
      "do    Write COPY … FROM stdin as INSERT (pg_dump --inserts), or set `setup` to a command that runs the file with psql.",
    ],
  },
  {
    name: "a statement that no transaction takes is named",
    sql: "CREATE TABLE t (n int);\nVACUUM t;",
    message: [
      "error: The setup file failed.",
      "where setup.sql",
      "seen  VACUUM cannot run inside a transaction block (25001)",
      "do    The file runs in one transaction. Take out the statement that cannot, or set `setup` to a command that runs the file with psql.",
    ],
  },
])("$name", async ({ sql, message }) => {
  await using directory = await temporaryDirectory();
  writeFileSync(join(directory.path, "setup.sql"), sql);
  await using database = await server.database();
  const error: unknown = await runSetup("setup.sql", database, noCommand, directory.path).catch(
    (reason) => reason,
  );
  expect(formatError(error as UserError)).toBe(message.join("\n"));
});

test("a file that is not there is named", async () => {
  await using directory = await temporaryDirectory();
  await using database = await server.database();
  const error: unknown = await runSetup("seed.sql", database, noCommand, directory.path).catch(
    (reason) => reason,
  );
  expect((error as UserError).parts).toEqual({
    what: "The setup file seed.sql cannot be read.",
    where: join(directory.path, "seed.sql"),
    do: "Correct the path in the setting `setup`.",
  });
});
