import { parseSync } from "libpg-query";
import type { Client } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import type { RecordedStatement, RelationLock } from "../model/statement";
import type { StepStatement } from "../model/verdict";
import type { MigrationTool } from "../tools/contract";
import type { Recording } from "./recording";
import { ReplayedQuery } from "./replayed-query";

export interface ReplayItem {
  readonly statement: RecordedStatement;
  readonly recording: Recording;
}

/** CREATE INDEX CONCURRENTLY and the like: 25001, cannot run inside a transaction block. */
const notInTransaction = "25001";
const transactionControl = /^\s*(?:begin|start\s+transaction|commit|end|rollback|abort|savepoint|release)\b/i;
const reads = /^\s*(?:select|show|values|table|with|explain|declare|fetch|close|deallocate|discard)\b/i;

interface Relation {
  readonly name: string;
  readonly file: string;
}

interface LockRow {
  readonly oid: string;
  readonly name: string | null;
  readonly mode: string;
  readonly file: string | null;
}

const lockQuery = `select l.relation::text as oid, c.oid::pg_catalog.regclass::text as name, l.mode, c.relfilenode::text as file
  from pg_catalog.pg_locks l left join pg_catalog.pg_class c on c.oid = l.relation
  where l.locktype = 'relation' and l.relation >= 16384 and l.granted and l.pid = $1
    and (c.oid is null or c.relkind in ('r', 'p', 'v', 'm', 'f'))
    and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`;

const relationsQuery = `select c.oid::text as oid, c.oid::pg_catalog.regclass::text as name, c.relfilenode::text as file
  from pg_catalog.pg_class c where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f')`;

/** Milliseconds between two looks at the locks of a statement that runs outside a transaction. */
const pollMs = 2;

/**
 * Runs recorded statements again, each in a transaction of its own, and tells the locks that each took on relations
 * that were there before, and which it wrote anew (relfilenode, PostgreSQL manual 53.11).
 */
export class Replay implements AsyncDisposable {
  private relations = new Map<string, Relation>();

  private constructor(
    private readonly client: Client,
    private readonly observer: Client,
    private readonly processId: number,
    private readonly tool: Pick<MigrationTool, "versionWrites">,
  ) {}

  static async open(address: Address, tool: Pick<MigrationTool, "versionWrites">): Promise<Replay> {
    const client = await connect(address, { applicationName: "migration-gate replay" });
    const observer = await connect(address, { applicationName: "migration-gate observer" });
    const { rows } = await client.query<{ pid: number }>("select pg_catalog.pg_backend_pid() as pid");
    return new Replay(client, observer, rows[0]!.pid, tool);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.client.end(), this.observer.end()]);
  }

  /** What env.py and the tool did before the first revision. */
  async prepare(recording: Recording, statements: readonly RecordedStatement[]): Promise<void> {
    await this.run(
      statements.map((statement) => ({ statement, recording })),
      false,
    );
  }

  /** The statements of one step; `watch` tells whether their locks are wanted. */
  async run(items: readonly ReplayItem[], watch: boolean): Promise<StepStatement[]> {
    if (watch) await this.learnRelations();
    const result: StepStatement[] = [];
    for (const item of items) {
      const { statement } = item;
      if (statement.error !== undefined || transactionControl.test(statement.sql)) continue;
      for (const part of split(statement)) {
        const replayed = await this.runOne(part, item.recording.copied, watch);
        const own = this.tool.versionWrites(part.sql).length > 0;
        if (watch && !own && (replayed.locks?.length !== 0 || !reads.test(part.sql))) result.push(replayed);
      }
    }
    return result;
  }

  private async runOne(
    statement: RecordedStatement,
    copied: Recording["copied"],
    watch: boolean,
  ): Promise<StepStatement> {
    const { sql, rows } = statement;
    const cut = statement.values.some((value) => typeof value === "object" && value !== null && value.cut);
    const copy = copied.get(statement.sequence);
    const known = { sql, rows, milliseconds: statement.milliseconds };
    if (cut || (copied.has(statement.sequence) && copy === undefined)) {
      return { ...known, locks: undefined, rewrites: undefined, replay: "its values were too large to keep" };
    }
    const started = performance.now();
    try {
      const { locks, rewrites } = watch
        ? await this.watched(statement, copy)
        : await this.unwatched(statement, copy);
      return { ...known, milliseconds: performance.now() - started, locks, rewrites, replay: undefined };
    } catch (error) {
      await this.client.query("rollback");
      const message = error instanceof Error ? error.message : String(error);
      return {
        ...known,
        locks: undefined,
        rewrites: undefined,
        replay: `it failed when it ran alone: ${message}`,
      };
    }
  }

  private async unwatched(statement: RecordedStatement, copy: Buffer | undefined) {
    await this.execute(statement, copy);
    return { locks: [], rewrites: [] };
  }

  private async watched(statement: RecordedStatement, copy: Buffer | undefined) {
    await this.client.query("begin");
    try {
      await this.execute(statement, copy);
    } catch (error) {
      await this.client.query("rollback");
      if ((error as { code?: string }).code !== notInTransaction) throw error;
      return this.observed(statement);
    }
    const { rows } = await this.client.query<LockRow>(lockQuery, [this.processId]);
    await this.client.query("commit");
    return this.account(rows);
  }

  /** Its locks are gone when it ends: looked at from another connection while it runs. */
  private async observed(statement: RecordedStatement) {
    let running = true;
    const seen = new Map<string, LockRow>();
    const done = this.execute(statement, undefined).finally(() => {
      running = false;
    });
    done.catch(() => undefined);
    while (running) {
      const { rows } = await this.observer.query<LockRow>(lockQuery, [this.processId]);
      for (const row of rows) seen.set(`${row.oid} ${row.mode}`, row);
      await new Promise((resolve) => setTimeout(resolve, pollMs));
    }
    await done;
    return this.account([...seen.values()]);
  }

  private account(rows: readonly LockRow[]): { locks: RelationLock[]; rewrites: string[] } {
    const locks: RelationLock[] = [];
    const rewrites = new Set<string>();
    for (const row of rows) {
      const before = this.relations.get(row.oid);
      const name = row.name ?? before?.name;
      if (before !== undefined && name !== undefined) {
        locks.push({ relation: name, mode: row.mode });
        if (row.file !== null && row.file !== "0" && row.file !== before.file) rewrites.add(name);
      }
      if (row.name === null || row.file === null) this.relations.delete(row.oid);
      else this.relations.set(row.oid, { name: row.name, file: row.file });
    }
    return {
      locks: locks.sort((a, b) => (`${a.relation} ${a.mode}` < `${b.relation} ${b.mode}` ? -1 : 1)),
      rewrites: [...rewrites],
    };
  }

  private async learnRelations(): Promise<void> {
    const { rows } = await this.client.query<{ oid: string } & Relation>(relationsQuery);
    this.relations = new Map(rows.map(({ oid, name, file }) => [oid, { name, file }]));
  }

  private execute(statement: RecordedStatement, copy: Buffer | undefined): Promise<void> {
    const query = new ReplayedQuery(statement, copy);
    this.client.query(query);
    return query.done;
  }
}

/** The statements of one simple Query; positions in the syntax tree are bytes (libpg-query). */
function split(statement: RecordedStatement): RecordedStatement[] {
  const sql = statement.sql.replace(/^(\s*set\s+)local\s/i, "$1session ");
  if (statement.protocol !== "simple" || !sql.includes(";")) return [{ ...statement, sql }];
  try {
    const { stmts } = parseSync(sql) as { stmts: { stmt_location?: number; stmt_len?: number }[] };
    if (stmts.length < 2) return [{ ...statement, sql }];
    const bytes = Buffer.from(sql, "utf8");
    return stmts
      .map(({ stmt_location: from = 0, stmt_len: length }) => ({
        ...statement,
        sql: bytes.toString("utf8", from, length === undefined ? undefined : from + length).trim(),
      }))
      .filter((part) => !transactionControl.test(part.sql));
  } catch {
    return [{ ...statement, sql }];
  }
}
