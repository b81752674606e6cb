import { type Client, escapeIdentifier, escapeLiteral } from "pg";
import { connect } from "../databases/postgres/connection";
import { ToolError } from "../errors";
import { type AddressParts, formatAddress } from "../executors/address";
import type { Direction } from "../model/revision";
import type { Recorder } from "../recorder/recorder";
import type { Recording } from "../recorder/recording";
import type { Graph } from "../revisions/graph";
import { bindLabel } from "../settings/binds";
import type { ShadowDatabase } from "../shadow/server";
import type { Bind, VersionTable } from "../tools/contract";
import type { LaneContext } from "./stage";

/**
 * The databases that the tool migrates together with the judged one. Each is a shadow of its own whose version table says,
 * before every start, what that start is to lead to: nothing runs there, so that what another database's revisions do or
 * leave is judged where that database is.
 */
export class OtherBinds implements AsyncDisposable {
  private constructor(
    private readonly context: LaneContext,
    private readonly others: readonly OtherBind[],
  ) {}

  /** `record` makes the recorder in front of a database of the shadow's server. */
  static async open(context: LaneContext, record: (database: string) => Recorder): Promise<OtherBinds> {
    const others: OtherBind[] = [];
    try {
      for (const bind of context.project.bind?.others ?? [])
        others.push(await OtherBind.open(context, bind, record));
      return new OtherBinds(context, others);
    } catch (error) {
      for (const other of others) await other[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** The variable of each one's address. */
  get environment(): Record<string, string> {
    const { databaseUrlFormat } = this.context.address;
    return Object.fromEntries(
      this.others.map(({ bind, parts }) => [bind.variable, formatAddress(databaseUrlFormat, parts)]),
    );
  }

  /** Of the default database, which the setting `env` means whichever is judged; undefined where that is the judged one. */
  get defaultParts(): AddressParts | undefined {
    return this.others.find(({ bind }) => bind.name === "")?.parts;
  }

  /** Puts the version table of each to where a start of the tool from `heads` is to lead. */
  async expect(heads: readonly string[], direction: Direction, target: string): Promise<void> {
    if (this.others.length === 0) return;
    const after = headsAfter(this.context.graph, heads, direction, target);
    for (const other of this.others) await other.stamp(after);
  }

  /** Waits for the end of what the tool left, and takes what was recorded, with the port of each. */
  async taken(): Promise<readonly { bind: Bind; port: number; recording: Recording }[]> {
    const taken = [];
    for (const { bind, parts, recorder } of this.others) {
      await recorder.idle(2_000);
      const written = recorder.versionTable;
      recorder.versionTable = undefined;
      if (written !== undefined && written.table !== versionTableOf(this.context).table)
        throw this.otherTable(bind, written);
      taken.push({ bind, port: parts.port, recording: recorder.takeRecording() });
    }
    return taken;
  }

  /** What a command of the project's did there is nobody's concern. */
  forget(): void {
    for (const { recorder } of this.others) {
      recorder.versionTable = undefined;
      recorder.takeRecording();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const other of this.others) await other[Symbol.asyncDispose]();
  }

  /** Where the version table has another name than was written down, the tool ran every revision there. */
  private otherTable({ name }: Bind, { schema, table }: VersionTable): ToolError {
    const found = [schema, table].filter((part) => part !== undefined).join(".");
    return new ToolError({
      what: `The tool migrated the shadow of the database "${bindLabel(name)}", which is not judged here.`,
      where: this.context.project.config,
      seen: `Its version table is ${found}; ${versionTableOf(this.context).table} was written down for it.`,
      why: "What another database's revisions do would stop or hide what the judged one's do.",
      do: `Set version-table: ${found}`,
    });
  }
}

class OtherBind implements AsyncDisposable {
  private constructor(
    private readonly context: LaneContext,
    readonly bind: Bind,
    private readonly database: ShadowDatabase,
    readonly recorder: Recorder,
    readonly parts: AddressParts,
  ) {}

  static async open(
    context: LaneContext,
    bind: Bind,
    record: (database: string) => Recorder,
  ): Promise<OtherBind> {
    const database = await context.shadow.createDatabase(`bind_${bind.name}`);
    try {
      const recorder = record(database.name);
      recorder.readsCatalog = false;
      const { server, port } = await context.isolation.listen();
      recorder.accept(server);
      const { user, password = "" } = database.address;
      const parts = { host: "127.0.0.1", port, user, password, database: database.name };
      return new OtherBind(context, bind, database, recorder, parts);
    } catch (error) {
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  async stamp(heads: readonly string[]): Promise<void> {
    const client = await connect(this.database.address, { applicationName: "migration-gate observer" });
    try {
      await writeVersions(client, versionTableOf(this.context), this.context.tool.versionTable.column, heads);
    } finally {
      await client.end();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.recorder.stop();
    await this.database[Symbol.asyncDispose]();
  }
}

function versionTableOf({ versionTable, tool }: LaneContext): VersionTable {
  if (versionTable === undefined) return { table: tool.versionTable.name };
  const at = versionTable.indexOf(".");
  return at < 0
    ? { table: versionTable }
    : { schema: versionTable.slice(0, at), table: versionTable.slice(at + 1) };
}

async function writeVersions(
  client: Client,
  { schema, table }: VersionTable,
  column: string,
  heads: readonly string[],
): Promise<void> {
  const name = [schema, table]
    .flatMap((part) => (part === undefined ? [] : escapeIdentifier(part)))
    .join(".");
  const id = escapeIdentifier(column);
  const values = heads.map((head) => `(${escapeLiteral(head)})`).join(", ");
  await client.query(
    [
      ...(schema === undefined ? [] : [`create schema if not exists ${escapeIdentifier(schema)}`]),
      `create table if not exists ${name} (${id} text primary key)`,
      `delete from ${name}`,
      ...(heads.length === 0 ? [] : [`insert into ${name} (${id}) values ${values}`]),
    ].join("; "),
  );
}

/** What a version table holds after the tool went from `heads` to `target`. */
export function headsAfter(
  graph: Graph,
  heads: readonly string[],
  direction: Direction,
  target: string,
): readonly string[] {
  const applied = applyTo(graph, heads, direction, target);
  return [...applied].filter((id) => !graph.childrenOf(id).some((child) => applied.has(child)));
}

function applyTo(
  graph: Graph,
  heads: readonly string[],
  direction: Direction,
  target: string,
): ReadonlySet<string> {
  const revision = graph.get(target)?.id;
  if (direction === "upgrade")
    return graph.applied([...heads, ...(revision === undefined ? graph.heads : [revision])]);
  const applied = graph.applied(heads);
  if (revision === undefined) return new Set();
  const gone = graph.descendants(revision);
  return new Set([...applied].filter((id) => id === revision || !gone.has(id)));
}
