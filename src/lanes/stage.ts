import { readFileSync } from "node:fs";
import path from "node:path";
import tls from "node:tls";
import type { Client } from "pg";
import { catalogSession } from "../databases/postgres/catalog/session";
import { type Address, connect, redact } from "../databases/postgres/connection";
import { removeObjects } from "../databases/postgres/remove-objects";
import { ToolError } from "../errors";
import { mergeDeltas } from "../evidence/deltas";
import { type RecordedLeg, stepsOf } from "../evidence/steps";
import type { AddressParts } from "../executors/address";
import { childEnvironment } from "../executors/environment";
import type { ForkServer } from "../executors/fork-server";
import { type Isolation, openReach } from "../executors/isolation";
import { type CommandResult, runCommand } from "../executors/local";
import type { Catalog, CatalogDelta } from "../model/catalog";
import type { Direction } from "../model/revision";
import { Recorder } from "../recorder/recorder";
import type { Recording } from "../recorder/recording";
import type { Upstream } from "../recorder/upstream";
import type { Graph } from "../revisions/graph";
import type { ShadowDatabase, ShadowServer } from "../shadow/server";
import { runSetup } from "../shadow/setup";
import type { MigrationTool, ToolFailure, ToolProject, VersionTable } from "../tools/contract";
import { namedTable } from "../tools/named-table";
import { upgradeWords } from "../tools/own-words";
import { shellWords } from "../tools/shell-words";
import { type AddressSettings, addressVariables } from "./address-variables";
import { lastLines, notArrived } from "./arrival";
import { OtherBinds } from "./other-binds";
import { partsDown, runWayBack } from "./own-way-back";
import { dropRoles, endOtherSessions, rolesOf } from "./sessions";
import { appliedVersions } from "./version-table";

/** Everything a lane needs that is the same for all its databases. */
export interface LaneContext {
  readonly shadow: ShadowServer;
  readonly isolation: Isolation;
  /** For starts of the tool. */
  readonly forkServer?: ForkServer | undefined;
  readonly tool: MigrationTool;
  readonly project: ToolProject;
  readonly run: readonly string[];
  readonly graph: Graph;
  readonly address: AddressSettings;
  /** The setting of that name. */
  readonly versionTable?: string | undefined;
  readonly setup: string | undefined;
  readonly toolTimeoutMs: number;
  readonly environment: NodeJS.ProcessEnv;
  progress(text: string): void;
}

/** One start of the tool and all that is known of it. */
export interface Leg extends RecordedLeg {
  /** The revision, or the tool's word, that it was to go to. */
  readonly target: string;
  readonly recording: Recording;
  readonly result: CommandResult;
  /** Undefined when the tool ended well. */
  readonly failure: ToolFailure | undefined;
  /** Changes that were there after the tool had ended, but at no boundary. */
  readonly tail: CatalogDelta;
  /** Set when the version table does not hold what the recorder saw: the tool wrote past it. */
  readonly bypassed: string | undefined;
  /** Keys of objects that the tool's status command made before any revision ran. */
  readonly madeOnArrival: readonly string[];
  /** All that was there when the tool had ended. */
  readonly catalog: Catalog;
}

/** What a stage starts from: an empty database and the setup, or a copy of a database to which nobody is connected. */
export interface StageStart {
  readonly template?: string;
  /** Of the template. */
  readonly versionTable?: VersionTable | undefined;
  /** Instead of the setup, before the tool comes. */
  readonly prepare?: (database: ShadowDatabase) => Promise<void>;
}

/** One shadow database with a recorder in front of it, on which the tool can be run. */
export class Stage implements AsyncDisposable {
  /** Applied heads. */
  heads: readonly string[] = [];
  /** All that was there before the tool came. */
  start: CatalogDelta = [];
  private madeOnArrival: readonly string[] = [];
  /** Where the recorder listens for the gate itself, once it did. */
  private ownPort: number | undefined;
  /** True once the database is somebody else's. */
  private handedOver = false;

  private constructor(
    private readonly context: LaneContext,
    readonly database: ShadowDatabase,
    private readonly recorder: Recorder,
    private client: Client,
    private readonly parts: AddressParts,
    private readonly rolesBefore: readonly string[],
    private readonly others: OtherBinds,
  ) {}

  static async open(context: LaneContext, purpose: string, from: StageStart = {}): Promise<Stage> {
    const database = await context.shadow.createDatabase(purpose, from.template);
    let client: Client | undefined;
    let recorder: Recorder | undefined;
    let others: OtherBinds | undefined;
    try {
      client = await connect(database.address, { applicationName: "migration-gate observer" });
      const roles = await rolesOf(client);
      const upstream = upstreamOf(database.address, client, context.shadow.socket);
      others = await OtherBinds.open(
        context,
        (other) => new Recorder({ upstream, database: other, protocol: context.tool }),
      );
      recorder = new Recorder({
        upstream,
        database: database.name,
        protocol: context.tool,
        onBoundary: (boundary) => context.progress(boundary.heads.join(", ") || "base"),
      });
      const { server, port } = await context.isolation.listen();
      recorder.accept(server);
      const stage = new Stage(
        context,
        database,
        recorder,
        client,
        {
          host: "127.0.0.1",
          port,
          user: database.address.user,
          password: database.address.password ?? "",
          database: database.name,
        },
        roles,
        others,
      );
      if (from.prepare !== undefined) await from.prepare(database);
      else if (from.template === undefined && context.setup !== undefined) await stage.setUp(context.setup);
      const { versionTable } = from;
      if (versionTable !== undefined) recorder.tracker.ignoreTable(versionTable.schema, versionTable.table);
      stage.start = await stage.readChanges();
      stage.heads = await appliedVersions(client, context.tool, versionTable);
      return stage;
    } catch (error) {
      recorder?.stop();
      await others?.[Symbol.asyncDispose]();
      await client?.end().catch(() => undefined);
      await database[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Runs the tool's harmless status command; throws unless it was seen arriving here. */
  async arrive(): Promise<void> {
    const { context } = this;
    const result = await this.execute([...context.run, ...context.tool.commands(context.project).current]);
    const recording = this.recorder.takeRecording();
    const asked = recording.statements.some(({ sql }) => context.tool.readsVersions(sql));
    // Where this server refused a statement of env.py's own, the tool was here, and the upgrade may well work.
    const refused = recording.statements.some(({ error }) => error !== undefined);
    const missed = (await this.others.taken()).find(
      (other) => !other.recording.statements.some(({ sql }) => context.tool.readsVersions(sql)),
    );
    if (asked && !result.timedOut && (result.exitCode === 0 ? missed === undefined : refused)) {
      const made = await this.readChanges();
      this.madeOnArrival = made.filter(({ before }) => before === undefined).map(({ key }) => key);
      return;
    }
    const isElsewhere = missed?.recording.connections === 0 && recording.connections > 0;
    if (missed !== undefined && (result.exitCode === 0 || isElsewhere))
      throw notArrived(context, result, { ...missed.recording, asked: false }, missed);
    throw notArrived(context, result, { ...recording, asked }, { port: this.parts.port });
  }

  /**
   * Goes to `target` by the tool and tells what it did on the way. `atOnce`: the catalog is read at the end only and as
   * a whole, all that changed is in the leg's tail, and its steps tell the order of revisions alone.
   */
  async go(direction: Direction, target: string, atOnce = false): Promise<Leg> {
    const { context, recorder } = this;
    const before = this.heads;
    recorder.readsCatalog = !atOnce;
    await this.others.expect(before, direction, target);
    const result = direction === "upgrade" ? await this.byTool(direction, target) : await this.goDown(target);
    recorder.readsCatalog = true;
    await this.others.taken();
    const recording = recorder.takeRecording();
    const leg = stepsOf(recording, direction, before, context.graph);
    // A tool that failed may have been cut off anywhere.
    if (atOnce || result.exitCode !== 0) recorder.tracker.invalidate();
    const tail = mergeDeltas([leg.trailing, await this.readChanges()]);
    const found = await appliedVersions(this.client, context.tool, this.recorder.versionTable);
    const bypassed =
      found.join() === [...leg.heads].sort().join()
        ? undefined
        : `the version table holds ${found.join(", ") || "nothing"}, but the recorder saw ${leg.heads.join(", ") || "nothing"}`;
    this.heads = found;
    const failed = result.exitCode !== 0 || result.timedOut;
    const failure = failed
      ? context.tool.explainFailure({ text: result.output, exitCode: result.exitCode }, context.project)
      : undefined;
    const { madeOnArrival } = this;
    const catalog = new Map(recorder.tracker.current);
    return { ...leg, target, recording, result, failure, tail, bypassed, madeOnArrival, catalog };
  }

  /** Drops objects that a downgrade left, so that other revisions can be judged without them; tells what changed. */
  async remove(keys: readonly string[]): Promise<CatalogDelta> {
    await removeObjects(this.client, keys);
    return this.readChanges();
  }

  /** The version table, where the tool was seen to write it. */
  get versionTable(): VersionTable | undefined {
    return this.recorder.versionTable;
  }

  /** Work on the stage's database by its own connection, which changes no object. */
  observe<Result>(work: (client: Client) => Promise<Result>): Promise<Result> {
    return work(this.client);
  }

  /** Runs a command of the project's on this database, e.g. one that fills it; what it did is not recorded. */
  async runOnce(command: string, setting: string): Promise<void> {
    await this.runProjectCommand(command, setting);
  }

  /** The database outlives the stage: nobody is connected to it, and its roles stay as long as the server is used. */
  async handOver(): Promise<ShadowDatabase> {
    this.handedOver = true;
    this.recorder.stop();
    await this.others[Symbol.asyncDispose]();
    await endOtherSessions(this.client);
    const roles = await rolesOf(this.client);
    this.context.shadow.takeRoles?.(roles.filter((role) => !this.rolesBefore.includes(role)));
    await this.client.end();
    return this.database;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.handedOver) return;
    this.recorder.stop();
    await this.others[Symbol.asyncDispose]();
    const roles = await rolesOf(this.client).catch(() => []);
    const made = roles.filter((role) => !this.rolesBefore.includes(role));
    await this.client.end().catch(() => undefined);
    await this.database[Symbol.asyncDispose]();
    if (made.length > 0) await dropRoles(this.context.shadow.address, made);
  }

  /** Nobody else is connected, and our own connection works: the tool may have left sessions, or ended ours. */
  private async quiesce(): Promise<void> {
    await this.recorder.idle(2_000);
    try {
      await this.client.query("select 1");
    } catch {
      await this.client.end().catch(() => undefined);
      this.client = await connect(this.database.address, { applicationName: "migration-gate observer" });
    }
    await endOtherSessions(this.client);
  }

  /** What changed in the catalog since the last boundary, by a connection of our own. */
  private async readChanges(): Promise<CatalogDelta> {
    const { changes } = await this.recorder.tracker.read(catalogSession(this.client));
    return changes;
  }

  private async setUp(setup: string): Promise<void> {
    const { project } = this.context;
    await runSetup(setup, this.database, (command) => this.runProjectCommand(command, "setup"), project.root);
  }

  private async runProjectCommand(command: string, setting: string): Promise<void> {
    const result = await this.execute(shellWords(command));
    this.recorder.takeRecording();
    this.others.forget();
    // It may have run another history, which has a version table of its own.
    this.recorder.versionTable = undefined;
    this.recorder.tracker.ignoreNothing();
    if (result.exitCode === 0) return;
    throw new ToolError({
      what: `The ${setting} command ended with ${result.exitCode ?? result.signal}.`,
      where: command,
      seen: lastLines(result.output),
      do: `Run it in a terminal to see why, or correct the setting ${setting}.`,
    });
  }

  private byTool(direction: Direction, target: string): Promise<CommandResult> {
    const { context } = this;
    const words =
      direction === "upgrade"
        ? upgradeWords(context, target)
        : context.tool.commands(context.project).downgrade(target);
    if (words !== undefined) return this.execute([...context.run, ...words]);
    const output = `error: the program of run-apply does not go to ${target}: it goes to the newest revision only`;
    return Promise.resolve({ ...allWell, exitCode: 1, output });
  }

  /** By the tool, and what it cannot take back by a connection of our own through the recorder. */
  private async goDown(target: string): Promise<CommandResult> {
    const parts = partsDown(this.context.graph, this.heads, target);
    if (parts.every((part) => "target" in part)) return this.byTool("downgrade", target);
    let output = "";
    let milliseconds = 0;
    for (const part of parts) {
      const result =
        "target" in part ? await this.byTool("downgrade", part.target) : await this.byGate(part.reverses);
      output += result.output;
      milliseconds += result.milliseconds;
      if (result.exitCode !== 0 || result.timedOut) return { ...result, output, milliseconds };
    }
    return { ...allWell, output, milliseconds };
  }

  private async byGate(
    reverses: readonly { readonly revision: string; readonly file: string }[],
  ): Promise<CommandResult> {
    const { tool, project, toolTimeoutMs } = this.context;
    if (this.ownPort === undefined) {
      // The tool's listener may be in a network of its own.
      const { server, port } = await openReach("the gate is no stranger").listen();
      this.recorder.accept(server);
      this.ownPort = port;
    }
    const address: Address = { name: "shadow", sslmode: "disable", ...this.parts, port: this.ownPort };
    const table = this.recorder.versionTable ?? namedTable(tool);
    const backs = reverses.map(({ revision, file }) => ({
      revision,
      file,
      text: readFileSync(path.join(project.root, file), "utf8"),
      deletion: tool.rows?.deletion(table, revision) ?? "",
      writesVersions: (sql: string) => tool.versionWrites(sql, table).length > 0,
    }));
    const result = await runWayBack(() => connect(address), backs, { timeoutMs: toolTimeoutMs });
    await this.quiesce();
    return { ...result, output: redact(result.output, this.database.address) };
  }

  private async execute(argv: readonly string[]): Promise<CommandResult> {
    const { context, parts } = this;
    const ours = addressVariables(context.address, {
      judged: parts,
      lines: this.others.defaultParts ?? parts,
      others: this.others.environment,
    });
    const result = await runCommand({
      argv,
      cwd: context.project.root,
      env: childEnvironment(context.environment, ours).env,
      timeoutMs: context.toolTimeoutMs,
      isolation: context.isolation,
      forkServer: context.forkServer,
      installedBy: context.tool.installedBy,
    });
    await this.quiesce();
    return { ...result, output: redact(result.output, this.database.address) };
  }
}

const allWell: CommandResult = {
  exitCode: 0,
  signal: null,
  output: "",
  outputCut: false,
  milliseconds: 0,
  timedOut: false,
};

function upstreamOf(address: Address, client: Client, socket: string | undefined): Upstream {
  const stream = (client as unknown as { connection: { stream: unknown } }).connection.stream;
  return {
    host: address.host,
    port: address.port,
    socket: socket ?? (address.host.startsWith("/") ? `${address.host}/.s.PGSQL.${address.port}` : undefined),
    // The server's certificate was verified, as far as sslmode asks, when our own connection was made.
    tls: stream instanceof tls.TLSSocket ? { rejectUnauthorized: false } : undefined,
  };
}
