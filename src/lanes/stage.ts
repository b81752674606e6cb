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
import { type AddressParts, environmentLines, formatAddress } from "../executors/address";
import { childEnvironment, recorderVariables } from "../executors/environment";
import { type Isolation, openReach } from "../executors/isolation";
import { type CommandResult, runCommand } from "../executors/local";
import type { CatalogDelta } from "../model/catalog";
import type { Direction } from "../model/revision";
import { Recorder } from "../recorder/recorder";
import type { Recording } from "../recorder/recording";
import type { Upstream } from "../recorder/upstream";
import type { Graph } from "../revisions/graph";
import type { ShadowDatabase, ShadowServer } from "../shadow/server";
import { runSetup } from "../shadow/setup";
import type { MigrationTool, ToolFailure, ToolProject } from "../tools/contract";
import { shellWords } from "../tools/shell-words";
import { partsDown, runWayBack } from "./own-way-back";
import { dropRoles, endOtherSessions, rolesOf } from "./sessions";
import { appliedVersions } from "./version-table";

/** How the tool is told where to connect. */
export interface AddressSettings {
  readonly databaseUrlEnv: string;
  readonly databaseUrlFormat: string;
  readonly env: readonly string[];
}

/** Everything a lane needs that is the same for all its databases. */
export interface LaneContext {
  readonly shadow: ShadowServer;
  readonly isolation: Isolation;
  readonly tool: MigrationTool;
  readonly project: ToolProject;
  readonly run: readonly string[];
  readonly graph: Graph;
  readonly address: AddressSettings;
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

  private constructor(
    private readonly context: LaneContext,
    private readonly database: ShadowDatabase,
    private readonly recorder: Recorder,
    private client: Client,
    private readonly parts: AddressParts,
    private readonly rolesBefore: readonly string[],
  ) {}

  static async open(context: LaneContext, purpose: string): Promise<Stage> {
    const database = await context.shadow.createDatabase(purpose);
    let client: Client | undefined;
    let recorder: Recorder | undefined;
    try {
      client = await connect(database.address, { applicationName: "migration-gate observer" });
      const roles = await rolesOf(client);
      recorder = new Recorder({
        upstream: upstreamOf(database.address, client, context.shadow.socket),
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
      );
      if (context.setup !== undefined) await stage.setUp(context.setup);
      stage.start = await stage.readChanges();
      stage.heads = await appliedVersions(client, context.tool, undefined);
      return stage;
    } catch (error) {
      recorder?.stop();
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
    if (asked && !result.timedOut && (result.exitCode === 0 || refused)) {
      const made = await this.readChanges();
      this.madeOnArrival = made.filter(({ before }) => before === undefined).map(({ key }) => key);
      return;
    }
    throw notArrived(context, result, { ...recording, asked }, this.parts);
  }

  /**
   * Goes to `target` by the tool and tells what it did on the way. `atOnce`: the catalog is read at the end only and as
   * a whole, all that changed is in the leg's tail, and its steps tell the order of revisions alone.
   */
  async go(direction: Direction, target: string, atOnce = false): Promise<Leg> {
    const { context, recorder } = this;
    const before = this.heads;
    recorder.readsCatalog = !atOnce;
    const result = direction === "upgrade" ? await this.byTool(direction, target) : await this.goDown(target);
    recorder.readsCatalog = true;
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
    return { ...leg, target, recording, result, failure, tail, bypassed, madeOnArrival };
  }

  /** Drops objects that a downgrade left, so that other revisions can be judged without them; tells what changed. */
  async remove(keys: readonly string[]): Promise<CatalogDelta> {
    await removeObjects(this.client, keys);
    return this.readChanges();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.recorder.stop();
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
    await runSetup(
      setup,
      this.database,
      async (command) => {
        const result = await this.execute(shellWords(command));
        this.recorder.takeRecording();
        if (result.exitCode === 0) return;
        throw new ToolError({
          what: `The setup command ended with ${result.exitCode ?? result.signal}.`,
          where: command,
          seen: lastLines(result.output),
          do: "Run it in a terminal to see why, or correct the setting setup.",
        });
      },
      project.root,
    );
  }

  private byTool(direction: Direction, target: string): Promise<CommandResult> {
    const { run, tool, project } = this.context;
    return this.execute([...run, ...tool.commands(project)[direction](target)]);
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
    const table = this.recorder.versionTable ?? { table: tool.versionTable.name };
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
    const url = formatAddress(context.address.databaseUrlFormat, parts);
    const ours = {
      ...recorderVariables(parts),
      [context.address.databaseUrlEnv]: url,
      ...environmentLines(context.address.env, url, parts),
    };
    const result = await runCommand({
      argv,
      cwd: context.project.root,
      env: childEnvironment(context.environment, ours).env,
      timeoutMs: context.toolTimeoutMs,
      isolation: context.isolation,
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
  cpuMs: undefined,
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

interface Arrival {
  readonly connections: number;
  readonly failures: readonly string[];
  /** The version table was looked for here. */
  readonly asked: boolean;
}

const takesAddressElsewhere =
  "The project may take its address from elsewhere (a literal URL, a .env file that overrides); a downgrade would then empty a real database.";

function notArrived(
  context: LaneContext,
  result: CommandResult,
  { connections, failures, asked }: Arrival,
  parts: AddressParts,
): ToolError {
  const { tool, project, address } = context;
  const command = [...context.run, ...tool.commands(project).current].join(" ");
  if (result.timedOut) {
    return new ToolError({
      what: `"${command}" did not end within ${Math.round(context.toolTimeoutMs / 1000)} s.`,
      where: project.config,
      seen: lastLines(result.output) || "It printed nothing.",
      do: "Run it in a terminal to see what it waits for, or raise tool-timeout.",
    });
  }
  const explained =
    result.exitCode === 0
      ? undefined
      : tool.explainFailure({ text: result.output, exitCode: result.exitCode }, project);
  const isFailure = explained !== undefined || result.exitCode !== 0;
  if (
    isFailure &&
    (connections > 0 || (explained?.kind === "environment" && !looksLikeAddress(result.output)))
  ) {
    return new ToolError({
      what: explained?.summary ?? `"${command}" ended with ${result.exitCode ?? result.signal}.`,
      where: [explained?.file ?? project.config, explained?.line]
        .filter((part) => part !== undefined)
        .join(":"),
      seen: [...failures.slice(0, 1), ...(explained?.lastLines ?? [])].join("\n"),
      do: explained?.do ?? "Run it in a terminal to see why.",
    });
  }
  if (connections > 0 && !asked) {
    return new ToolError({
      what: `"${command}" connected to the shadow database and did not look for its version table there, so nothing was upgraded or downgraded.`,
      where: project.config,
      seen: `The address was given in ${address.databaseUrlEnv} (127.0.0.1:${parts.port}); no question for the version table came there.`,
      why: takesAddressElsewhere,
      do: `Let env.py run the revisions on the address in ${address.databaseUrlEnv}, or set database-url-env or env to the variables from which it takes the address.`,
    });
  }
  return new ToolError({
    what: `"${command}" did not connect to the shadow database, so nothing was upgraded or downgraded.`,
    where: project.config,
    seen: `The address was given in ${address.databaseUrlEnv} (127.0.0.1:${parts.port}); no connection came.${
      explained === undefined ? "" : `\n${explained.lastLines.join("\n")}`
    }`,
    why: takesAddressElsewhere,
    do: `Set database-url-env to the variable that ${tool.addressReader} reads, or env to the variables that it joins; let the variable win over .env files (load_dotenv without override=True) and over sqlalchemy.url.`,
  });
}

/** The tool tried to connect somewhere: the cause is the address, not a missing part. */
function looksLikeAddress(output: string): boolean {
  return /connection (?:refused|to server)|could not (?:connect|translate)|connect call failed|network is unreachable|name or service not known|name resolution|getaddrinfo|no such file or directory\W.*\.s\.PGSQL/i.test(
    output,
  );
}

function lastLines(output: string): string {
  return output.trimEnd().split("\n").slice(-15).join("\n");
}
