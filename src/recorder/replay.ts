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

/** CREATE INDEX CONCURRENTLY cannot run inside a transaction block (25001), nor can a block that commits (2D000). */
const notInTransaction = new Set(["25001", "2D000"]);
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

const lockQuery = (waiting: boolean) => `select l.relation::text as oid,
    c.oid::pg_catalog.regclass::text as name, l.mode, c.relfilenode::text as file, l.granted
  from pg_catalog.pg_locks l left join pg_catalog.pg_class c on c.oid = l.relation
  where l.locktype = 'relation' and l.relation >= 16384 ${waiting ? "" : "and l.granted "}and l.pid = $1
    and (c.oid is null or c.relkind in ('r', 'p', 'v', 'm', 'f'))
    and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())`;

const tablesQuery = `select pg_catalog.string_agg('only ' || c.oid::pg_catalog.regclass::text, ', ') as tables
  from pg_catalog.pg_class c where c.oid >= 16384 and c.relkind in ('r', 'p') and c.relpersistence <> 't'`;

const relationsQuery = `select c.oid::text as oid, c.oid::pg_catalog.regclass::text as name, c.relfilenode::text as file
  from pg_catalog.pg_class c where c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f')`;

/** At the longest a statement that runs outside a transaction is held up so that its locks can be seen. */
const heldMs = 250;
/** And at least so often looked at: a machine that is busy may have looked once in that time. */
const heldLooks = 50;
/** Its locks are looked at without a pause at first, as most are short. */
const eagerMs = 300;
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
    try {
      const observer = await connect(address, { applicationName: "migration-gate observer" });
      const { rows } = await client.query<{ pid: number }>("select pg_catalog.pg_backend_pid() as pid");
      return new Replay(client, observer, rows[0]!.pid, tool);
    } catch (error) {
      await client.end();
      throw error;
    }
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
      if (statement.error !== undefined) continue;
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
      // Where the statement itself ended the transaction this is a warning.
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
      if (!notInTransaction.has((error as { code?: string }).code ?? "")) throw error;
      return this.observed(statement);
    }
    const { rows } = await this.client.query<LockRow>(lockQuery(false), [this.processId]);
    await this.client.query("commit");
    return this.account(rows);
  }

  /**
   * Its locks are gone when it ends: looked at from another connection while it runs. That one holds every table until
   * the statement waits for it, because on a small table it would be over before the first look.
   */
  private async observed(statement: RecordedStatement) {
    const isHeld = await this.hold();
    let running = true;
    const seen = new Map<string, LockRow>();
    const started = performance.now();
    const done = this.execute(statement, undefined).finally(() => {
      running = false;
    });
    done.catch(() => undefined);
    let holding = isHeld;
    let looks = 0;
    while (running) {
      const { rows } = await this.observer.query<LockRow & { granted: boolean }>({
        name: "locks",
        text: lockQuery(true),
        values: [this.processId],
      });
      for (const row of rows) seen.set(`${row.oid} ${row.mode}`, row);
      looks += 1;
      const elapsed = performance.now() - started;
      // A lock that it does not get yet is one that it takes. Not all wait: then the tables are given free again.
      if (holding && (rows.some(({ granted }) => !granted) || (elapsed > heldMs && looks > heldLooks))) {
        await this.observer.query("rollback");
        holding = false;
      }
      if (elapsed > eagerMs) await pause(pollMs);
    }
    if (holding) await this.observer.query("rollback");
    await done;
    return this.account([...seen.values()]);
  }

  /** Locks every table but for readers; false where that is not allowed, or there are too many. */
  private async hold(): Promise<boolean> {
    const { rows } = await this.observer.query<{ tables: string | null }>(tablesQuery);
    const tables = rows[0]?.tables ?? null;
    if (tables === null) return false;
    await this.observer.query("begin");
    try {
      await this.observer.query(`lock table ${tables} in exclusive mode`);
      return true;
    } catch {
      await this.observer.query("rollback");
      return false;
    }
  }

  /** Locks on relations that were there before; the rest is learned for the next statement. */
  private account(rows: readonly LockRow[]): { locks: RelationLock[]; rewrites: string[] } {
    const locks: RelationLock[] = [];
    const rewrites = new Set<string>();
    const known = new Map(rows.map(({ oid }) => [oid, this.relations.get(oid)]));
    for (const { oid, name: now, mode, file } of rows) {
      const before = known.get(oid);
      const name = now ?? before?.name;
      if (before !== undefined && name !== undefined) {
        locks.push({ relation: name, mode });
        if (file !== null && file !== "0" && file !== before.file) rewrites.add(name);
      }
      if (now === null || file === null) this.relations.delete(oid);
      else this.relations.set(oid, { name: now, file });
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

/** The statements of one simple Query without BEGIN and COMMIT; positions in the syntax tree are bytes (libpg-query). */
function split(statement: RecordedStatement): RecordedStatement[] {
  const parts = textsOf(statement)
    .filter((sql) => !transactionControl.test(sql))
    // Each runs in a transaction of its own, and what was set for one was meant for all.
    .map((sql) => sql.replace(/^(\s*set\s+)local\s/i, "$1session "));
  return parts.map((sql) => ({ ...statement, sql }));
}

function textsOf({ protocol, sql }: RecordedStatement): string[] {
  if (protocol !== "simple" || !sql.includes(";")) return [sql];
  try {
    const { stmts } = parseSync(sql) as { stmts: { stmt_location?: number; stmt_len?: number }[] };
    if (stmts.length < 2) return [sql];
    const bytes = Buffer.from(sql, "utf8");
    return stmts.map(({ stmt_location: from = 0, stmt_len: length }) =>
      bytes.toString("utf8", from, length === undefined ? undefined : from + length).trim(),
    );
  } catch {
    return [sql];
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
