import { type Client, escapeIdentifier } from "pg";
import {
  findVersionTables,
  userTables,
  type VersionTableCandidate,
} from "../databases/postgres/version-tables";
import { UserError } from "../errors";
import type { MigrationTool, VersionTable } from "../tools/contract";
import type { AppliedRow, SeenDatabase } from "./status";

export interface ReadOptions {
  readonly tool: Pick<MigrationTool, "versionTable" | "versionsSql" | "commands" | "rows">;
  /** The setting version-table: a name, or schema.name; undefined looks for it. */
  readonly versionTable: string | undefined;
  /** True for an id of the source: tells which of several tables is this project's. */
  readonly isKnown: (id: string) => boolean;
  /** True where this is the checksum of the file of that id. Absent where nobody asks. */
  readonly isApplied?: ((id: string, checksum: string) => boolean) | undefined;
  /** Of the database, for messages: no secret. */
  readonly where: string;
  /** The command that writes a revision into the version table, for a person to type; undefined where there is none. */
  readonly stamp: string | undefined;
}

/** The version table's content by our own SQL. Reads only; a UserError where it cannot be told. */
export async function readVersions(client: Client, options: ReadOptions): Promise<SeenDatabase> {
  await client.query("begin transaction isolation level repeatable read read only");
  try {
    const { rows } = await client.query<{ name: string; server: string; role: string }>(
      "select pg_catalog.current_database() as name, pg_catalog.current_setting('server_version') as server, current_user as role",
    );
    const [{ name, server, role } = { name: "", server: "", role: "" }] = rows;
    const database = { name, server };
    const candidates = await findVersionTables(client, options.tool.versionTable);
    const chosen = await choose(client, candidates, options, role);
    if (chosen !== undefined) {
      const { schema, table } = chosen.candidate;
      const versionTable = { schema, table };
      return {
        database,
        versionTable,
        heads: chosen.heads,
        rows: await readRows(client, options.tool, versionTable),
      };
    }
    const tables = await userTables(client);
    // Another source's table says that the database is shared: this one comes to it now.
    const isShared = options.versionTable === undefined && candidates.length > 0;
    if (tables.count > 0 && !isShared) throw notStamped(tables, options);
    return { database, versionTable: undefined, heads: [] };
  } finally {
    await client.query("rollback").catch(() => undefined);
  }
}

async function readRows(
  client: Client,
  { rows: protocol }: ReadOptions["tool"],
  table: VersionTable,
): Promise<readonly AppliedRow[] | undefined> {
  if (protocol === undefined) return undefined;
  const { rows } = await client.query<[string, boolean, string]>({
    text: protocol.sql(table),
    rowMode: "array",
  });
  return rows.map(([id, success, checksum]) => ({ id, success, checksum }));
}

interface Chosen {
  readonly candidate: VersionTableCandidate;
  readonly heads: readonly string[];
}

async function choose(
  client: Client,
  all: readonly VersionTableCandidate[],
  options: ReadOptions,
  role: string,
): Promise<Chosen | undefined> {
  const { given } = options.tool.versionTable;
  const wanted = options.versionTable ?? (given === undefined ? undefined : shown(given));
  const named = wanted === undefined ? all : all.filter((candidate) => isNamed(candidate, wanted));
  if (wanted !== undefined && named.length === 0) {
    if (options.versionTable !== undefined) throw notThere(wanted, all, options);
    if (given !== undefined) await requireNotRenamed(client, given, all, options);
    return undefined;
  }
  const read: Chosen[] = [];
  for (const candidate of named) {
    if (!candidate.readable) continue;
    const { rows } = await client.query<[string]>({
      text: options.tool.versionsSql(candidate),
      rowMode: "array",
    });
    read.push({ candidate, heads: rows.map(([id]) => id) });
  }
  const hidden = named.filter(({ readable }) => !readable);
  const [unread] = [...hidden].sort((one, other) => unusual(one, options) - unusual(other, options));
  // What may not be read could be the one: the others tell only when they hold this project's ids.
  if (unread !== undefined && !read.some(({ heads }) => heads.some(options.isKnown)))
    throw notReadable(unread, role, options);
  if (read.length <= 1) return read[0];
  const ours = read.filter(({ heads }) => heads.some(options.isKnown));
  if (ours.length === 1) return ours[0];
  // Versions are numbers that any project may have; where its configuration names no table, it has the usual one.
  const usual = read.filter(({ candidate }) => unusual(candidate, options) === 0);
  if (options.tool.rows !== undefined && usual.length === 1) return usual[0];
  throw new UserError({
    what: `The database has ${read.length} tables that may be the version table.`,
    where: options.where,
    seen: read
      .map(({ candidate, heads }) => `${print(candidate)}: ${heads.join(", ") || "empty"}`)
      .join("\n"),
    do: `Set version-table to one of them, e.g. --version-table ${print(read[0]!.candidate)}`,
  });
}

/** A UserError where the rows of this very project are in another table: its name was changed in the configuration. */
async function requireNotRenamed(
  client: Client,
  given: VersionTable,
  all: readonly VersionTableCandidate[],
  { tool, where, isApplied }: ReadOptions,
): Promise<void> {
  for (const candidate of all) {
    if (!candidate.readable) continue;
    const rows = (await readRows(client, tool, candidate)) ?? [];
    const same = rows.filter(({ id, checksum }) => isApplied?.(id, checksum) === true);
    if (same.length === 0) continue;
    throw new UserError({
      what: `The project's version table is ${shown(given)}, which is not there, and ${print(candidate)} has its migrations.`,
      where,
      seen: `${same.length} of the ${rows.length} rows of ${print(candidate)} have the versions and checksums of the project's files.`,
      why: "The tool would make the new table, and run every migration again.",
      do: `Take the change of the name back, or make the table first, with its rows: CREATE TABLE ${quoted(given)} (LIKE ${quoted(candidate)} INCLUDING ALL); INSERT INTO ${quoted(given)} SELECT * FROM ${quoted(candidate)};`,
    });
  }
}

function unusual({ table }: VersionTableCandidate, { tool }: ReadOptions): number {
  return table === tool.versionTable.name ? 0 : 1;
}

function isNamed({ schema, table }: VersionTableCandidate, wanted: string): boolean {
  return wanted === table || wanted === `${schema}.${table}`;
}

function shown({ schema, table }: VersionTable): string {
  return schema === undefined ? table : `${schema}.${table}`;
}

function quoted({ schema, table }: VersionTable): string {
  return [schema, table].flatMap((part) => (part === undefined ? [] : escapeIdentifier(part))).join(".");
}

function print({ schema, table }: Pick<VersionTableCandidate, "schema" | "table">): string {
  return `${schema}.${table}`;
}

function notThere(wanted: string, all: readonly VersionTableCandidate[], { where }: ReadOptions): UserError {
  return new UserError({
    what: `The database has no version table "${wanted}".`,
    where,
    seen: all.length === 0 ? "It has no version table at all." : `It has ${all.map(print).join(", ")}.`,
    do:
      all.length === 0
        ? "Correct version-table, or leave it out."
        : `Set version-table to ${print(all[0]!)}, or leave it out.`,
  });
}

function notReadable(candidate: VersionTableCandidate, role: string, { where }: ReadOptions): UserError {
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`;
  const schema = quote(candidate.schema);
  return new UserError({
    what: `The role "${role}" may not read the version table ${print(candidate)}.`,
    where,
    do: `GRANT USAGE ON SCHEMA ${schema} TO ${quote(role)}; GRANT SELECT ON ${schema}.${quote(candidate.table)} TO ${quote(role)};`,
  });
}

function notStamped({ names, count }: { names: string[]; count: number }, options: ReadOptions): UserError {
  const { where, stamp, tool } = options;
  return new UserError({
    what: `The database has ${count} ${count === 1 ? "table" : "tables"} and no version table (${tool.versionTable.name}).`,
    where,
    seen: `${names.join(", ")}${count > names.length ? ", …" : ""}`,
    why: "Which revisions it has is not written down; an upgrade would start at the first one and meet what is there.",
    do:
      stamp === undefined
        ? `Find out which revisions its schema has, and write their rows into ${tool.versionTable.name} once.`
        : `Find out which revision its schema is, and write that down once: ${stamp} <revision>`,
  });
}
