import { parseSync } from "libpg-query";
import type { Client } from "pg";
import { close, NoAnswer, within } from "../databases/postgres/own-session";
import type { CommandResult } from "../executors/local";
import type { Revision } from "../model/revision";
import type { Graph } from "../revisions/graph";

/** The reverse of a revision that its tool cannot take back, and how its row goes. */
export interface OwnWayBack {
  readonly revision: string;
  /** As the project names it. */
  readonly file: string;
  readonly text: string;
  /** The statement that deletes the one row of the version table. */
  readonly deletion: string;
  /** True for a statement that writes the version table, which is not the file's to do. */
  writesVersions(sql: string): boolean;
  /** Statements of the session before the transaction. */
  readonly before?: readonly string[];
  /** The key of the advisory lock under which the tool's library migrates; taken for the transaction, not waited for. */
  readonly libraryLock?: string;
}

/** SQLx's mark at the very beginning of a file: its statements run one by one, each in a transaction of its own. */
export function isWithoutTransaction(text: string): boolean {
  return text.startsWith("-- no-transaction");
}

/** A part of a way down: by the tool to `target`, or revisions by the gate, in their order. */
export type PartDown = { readonly target: string } | { readonly reverses: readonly Reverse[] };

interface Reverse {
  readonly revision: string;
  readonly file: string;
}

/** The file that the gate runs to take this revision back; undefined where the tool does it, or nobody can. */
export function ownReverse({ sql, downgrade }: Revision): string | undefined {
  return sql?.byGate === true && sql.down !== undefined && downgrade?.file === sql.down
    ? sql.down
    : undefined;
}

/** From the heads to `target`, newest first; neighbours that the tool takes back are one part. */
export function partsDown(graph: Graph, heads: readonly string[], target: string): PartDown[] {
  const stays = graph.get(target) === undefined ? new Set<string>() : graph.ancestors(target);
  const applied = graph.applied(heads);
  const gone = graph.revisions.filter(({ id }) => applied.has(id) && !stays.has(id)).reverse();
  if (gone.every((revision) => ownReverse(revision) === undefined)) return [{ target }];
  const parts: PartDown[] = [];
  for (const revision of gone) {
    const file = ownReverse(revision);
    const last = parts.at(-1);
    if (file === undefined) {
      if (last !== undefined && "target" in last) parts.pop();
      parts.push({ target: graph.parentsOf(revision.id)[0] ?? "base" });
    } else {
      const before = last !== undefined && "reverses" in last ? last.reverses : [];
      if (before.length > 0) parts.pop();
      parts.push({ reverses: [...before, { revision: revision.id, file }] });
    }
  }
  return parts;
}

/**
 * Runs them on one connection, each in one transaction unless its file says otherwise, and tells it as a command's end;
 * the first that fails is the last. `libpg-query`'s loadModule() must have resolved before.
 */
export async function runWayBack(
  open: () => Promise<Client>,
  backs: readonly OwnWayBack[],
  { timeoutMs, abort }: { readonly timeoutMs: number; readonly abort?: AbortSignal },
): Promise<CommandResult> {
  const started = performance.now();
  const end = (exitCode: 0 | 1 | null, output: string): CommandResult => ({
    exitCode,
    signal: null,
    output,
    outputCut: false,
    milliseconds: performance.now() - started,
    timedOut: exitCode === null,
  });
  let client: Client | undefined;
  let output = "";
  let current = backs[0];
  try {
    const aborted = new Promise<never>((_, reject) => {
      abort?.addEventListener("abort", () => reject(new Error("it was ended: the gate's lock was lost")));
    });
    aborted.catch(() => undefined);
    if (abort?.aborted === true) throw new Error("the gate's lock was lost");
    for (const back of backs) {
      current = back;
      const statements = statementsOf(back);
      client ??= await open();
      const work = isWithoutTransaction(back.text)
        ? oneByOne(client, back, statements)
        : inOneTransaction(client, back, statements);
      const left = timeoutMs - (performance.now() - started);
      await within(client, Promise.race([work, aborted]), Math.max(1, left));
      output += `${back.file}: done, and the row of version ${back.revision} is deleted\n`;
    }
    return end(0, output);
  } catch (error) {
    return end(
      error instanceof NoAnswer ? null : 1,
      output + (current === undefined ? "" : failureText(current, error)),
    );
  } finally {
    if (client !== undefined) await close(client);
  }
}

interface Statement {
  readonly sql: string;
  /** In characters of the file. */
  readonly from: number;
}

/** Why it cannot run, or did not; `at` counts characters of the file. */
class Stopped extends Error {
  constructor(
    message: string,
    readonly at: number | undefined,
    readonly code?: string,
  ) {
    super(message);
  }
}

/** One by one, so that each is recorded by itself; as a whole where the grammar does not know them. */
function statementsOf({ text, file, revision, writesVersions }: OwnWayBack): Statement[] {
  const bytes = Buffer.from(text);
  let parsed: ReturnType<typeof parseSync>;
  try {
    parsed = parseSync(text);
  } catch {
    return [{ sql: text, from: 0 }];
  }
  return (parsed.stmts ?? []).map(({ stmt, stmt_location: location = 0, stmt_len: length }) => {
    const to = length === undefined || length === 0 ? bytes.length : location + length;
    const blank = /^(?:\s|--[^\n]*(?:\n|$))*/.exec(bytes.subarray(location, to).toString())?.[0] ?? "";
    const from = bytes.subarray(0, location).toString().length + blank.length;
    const sql = bytes.subarray(location, to).toString().slice(blank.length);
    if (stmt !== undefined && "TransactionStmt" in stmt) {
      throw new Stopped(
        isWithoutTransaction(text)
          ? `${sql.split(/\s/)[0]} in ${file}: its statements run one by one, without a transaction around them`
          : `${sql.split(/\s/)[0]} in ${file}: it runs in one transaction with the deletion of its row`,
        from,
      );
    }
    if (writesVersions(sql)) {
      throw new Stopped(
        `${file} writes the version table: the gate deletes the row of version ${revision} after it`,
        from,
      );
    }
    return { sql, from };
  });
}

async function inOneTransaction(
  client: Client,
  back: OwnWayBack,
  statements: readonly Statement[],
): Promise<void> {
  for (const setting of back.before ?? []) await client.query(setting);
  await client.query("BEGIN");
  try {
    await requireFree(client, back);
    await runStatements(client, back, statements);
    await client.query("COMMIT");
  } catch (error) {
    await client.query("ROLLBACK").catch(() => undefined);
    throw error;
  }
}

async function oneByOne(client: Client, back: OwnWayBack, statements: readonly Statement[]): Promise<void> {
  for (const setting of back.before ?? []) await client.query(setting);
  // Not held on the way: who waits for it has a snapshot, for whose end a statement CONCURRENTLY waits in turn.
  await requireFree(client, back);
  await runStatements(client, back, statements);
}

async function requireFree(client: Client, { libraryLock }: OwnWayBack): Promise<void> {
  if (libraryLock === undefined) return;
  const { rows } = await client.query<{ free: boolean }>(
    `SELECT pg_catalog.pg_try_advisory_xact_lock(${libraryLock}) AS free`,
  );
  if (rows[0]?.free !== true)
    throw new Stopped("55P03: an application that migrates at its start holds its lock", undefined);
}

async function runStatements(
  client: Client,
  { file, revision, deletion }: OwnWayBack,
  statements: readonly Statement[],
): Promise<void> {
  for (const { sql, from } of statements) {
    try {
      await client.query(sql);
    } catch (error) {
      throw stoppedAt(error, from);
    }
  }
  const { rowCount } = await client.query(deletion);
  if (rowCount !== 1)
    throw new Stopped(
      `${rowCount ?? 0} rows of version ${revision} were deleted after ${file}, and it is to be one`,
      undefined,
    );
}

function stoppedAt(error: unknown, from: number): Stopped {
  const { message, code, position } = error as { message: string; code?: string; position?: string };
  return new Stopped(message, from + Math.max(0, Number(position ?? 1) - 1), code);
}

/** In the words of the tool, so that what explains its output explains this. */
function failureText({ revision, file, text }: OwnWayBack, error: unknown): string {
  const { message } = error instanceof Error ? error : new Error(String(error));
  const { at, code } = error instanceof Stopped ? error : { at: undefined, code: undefined };
  const line = at === undefined ? "" : `:${text.slice(0, at).split("\n").length}`;
  return `error: while executing migration ${revision}: ${message}\n${file}${line}${code === undefined ? "" : `, ${code}`}\n`;
}
