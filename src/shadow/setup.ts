import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { DatabaseError } from "pg";
import { connect } from "../databases/postgres/connection";
import { UserError } from "../errors";
import type { ShadowDatabase } from "./server";

/** Runs a shell command for the database in whatever way the caller runs the project's commands. */
export type RunCommand = (command: string, database: ShadowDatabase) => Promise<void>;

/**
 * Prepares a database before the first revision, or puts rows in: a SQL file (ends with .sql, relative to `directory`), run as
 * one query, or a command. `setting` is for messages.
 */
export async function runSetup(
  setup: string,
  database: ShadowDatabase,
  runCommand: RunCommand,
  directory = process.cwd(),
  setting: "setup" | "seed" = "setup",
): Promise<void> {
  if (!setup.endsWith(".sql")) return runCommand(setup, database);
  const sql = await readSql(setup, resolve(directory, setup), setting);
  const client = await connect(database.address);
  try {
    await client.query(sql);
  } catch (error) {
    throw error instanceof DatabaseError ? setupError({ file: setup, sql, setting }, error) : error;
  } finally {
    await client.end();
  }
}

async function readSql(setup: string, file: string, setting: string): Promise<string> {
  try {
    return (await readFile(file, "utf8")).replace(/^\uFEFF/, "");
  } catch (error) {
    throw new UserError(
      {
        what: `The ${setting} file ${setup} cannot be read.`,
        where: file,
        do: `Correct the path in the setting \`${setting}\`.`,
      },
      { cause: error },
    );
  }
}

interface SqlFile {
  readonly file: string;
  readonly sql: string;
  /** That names it. */
  readonly setting: string;
}

function setupError({ file, sql, setting }: SqlFile, error: DatabaseError): UserError {
  const place = error.position === undefined ? undefined : placeOf(sql, Number(error.position));
  const where = place === undefined ? file : `${file}:${place.line}:${place.column}`;
  const caret = place === undefined ? [] : [place.text, `${place.indent}^`];
  const told = [error.message, error.detail, error.hint].filter((text) => text !== undefined);
  const seen = [`${told.join("; ")} (${error.code})`, ...caret].join("\n");
  return new UserError(
    { what: `The ${setting} file failed.`, where, seen, do: remedy({ sql, setting }, error, place) },
    { cause: error },
  );
}

/** What only psql can do is the likely reason of some errors. */
function remedy(
  { sql, setting }: Pick<SqlFile, "sql" | "setting">,
  error: DatabaseError,
  place: Place | undefined,
): string {
  const psql = `or set \`${setting}\` to a command that runs the file with psql.`;
  if (error.code === "42601" && place?.text.trimStart().startsWith("\\")) {
    return `Remove the psql command ${place.text.trim().split(/\s/)[0]}, ${psql}`;
  }
  if (error.code === "42601" && /\bcopy\b[^;]*\bfrom\s+stdin\b/i.test(sql)) {
    return `Write COPY … FROM stdin as INSERT (pg_dump --inserts), ${psql}`;
  }
  if (error.code === "25001") {
    return `The file runs in one transaction. Take out the statement that cannot, ${psql}`;
  }
  return "Correct the file.";
}

interface Place {
  readonly line: number;
  readonly column: number;
  readonly text: string;
  /** As wide as what stands before the column; tabs stay tabs. */
  readonly indent: string;
}

/** PostgreSQL counts characters from 1 (manual 55.8, field P): code points, of which JavaScript may need two units. */
function placeOf(sql: string, position: number): Place {
  const before = [...sql].slice(0, position - 1).join("");
  const start = before.lastIndexOf("\n") + 1;
  const lead = before.slice(start);
  return {
    line: before.split("\n").length,
    column: [...lead].length + 1,
    text: sql.slice(start).split(/\r?\n/, 1)[0] ?? "",
    indent: lead.replace(/[^\t]/gu, " "),
  };
}
