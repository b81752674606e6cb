import { readFileSync } from "node:fs";
import path from "node:path";
import type { Client } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import { close, within } from "../databases/postgres/own-session";
import { ToolError, UserError } from "../errors";
import { isFatal } from "../findings/graph";
import type { Revision } from "../model/revision";
import type { StatusReport } from "../model/status";
import { buildGraph, type Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
import type { MigrationTool, ReadRevisions, ToolProject } from "../tools/contract";
import { findJudged, readRevisions } from "../tools/find-project";
import { toolOf } from "../tools/index";
import { shellWord } from "../tools/shell-words";
import { databaseAddress } from "./database-address";
import { lostRevisions, mendLines } from "./lost-revisions";
import { readVersions } from "./read-versions";
import { type SeenDatabase, statusOf, unknownIds } from "./status";
import { answerLimitMs, notRead, placeOf, versionsAt } from "./versions-at";

/** A network that drops everything must not be waited for. */
const aliveLimitMs = 5_000;

/** A project and the database that it is deployed to, connected. */
export interface Target extends AsyncDisposable {
  readonly project: ToolProject;
  readonly tool: MigrationTool;
  readonly read: ReadRevisions;
  readonly graph: Graph;
  readonly address: Address;
  /** Of the database, for messages: no secret. */
  readonly where: string;
  /** The words that start the tool. */
  readonly run: readonly string[];
  /** Of the revision's file, as it is now. */
  bytesOf(revision: Pick<Revision, "location">): Uint8Array;
  /** A connection of the gate's own; replaced where it was lost. */
  client(): Promise<Client>;
  /** The version table's content by our own SQL; of this table, where it was found before. */
  seen(table?: SeenDatabase["versionTable"]): Promise<SeenDatabase>;
  status(seen: SeenDatabase): Promise<StatusReport>;
  /** The same of another environment's database, on a connection that is closed again. */
  seenAt(address: Address): Promise<SeenDatabase>;
}

/** Opens both. Reads only, and does not start the tool; a UserError where a project, its history or the database is not usable. */
export async function openTarget(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
  applicationName: string,
): Promise<Target> {
  const project = findJudged(settings["working-directory"], settings);
  const tool = toolOf(project);
  const read = readRevisions(project);
  const graph = buildGraph(read.revisions);
  const broken = graph.problems.find(isFatal);
  if (broken !== undefined) {
    throw new ToolError({
      what: broken.text,
      where: project.config,
      why: "What is applied can only be told of a history that the tool can load.",
      do: "Run migration-gate check, which says how to mend it.",
    });
  }
  const address = databaseAddress(settings, environment);
  const run = tool.runWords(project, settings.run, environment.PATH);
  const where = placeOf(address);
  const bytesOf: Target["bytesOf"] = ({ location }) => readFileSync(path.join(project.root, location.file));
  const reading = {
    tool,
    versionTable: settings["version-table"],
    isKnown: (id: string) => graph.get(id) !== undefined,
    isApplied(id: string, checksum: string) {
      const revision = graph.get(id);
      return revision !== undefined && tool.rows?.compare(bytesOf(revision), checksum) === "same";
    },
    stamp: stampLine(tool, project, run),
  };
  let open = await connect(address, { applicationName });
  const client = async () => {
    if (await isAlive(open)) return open;
    await close(open);
    open = await connect(address, { applicationName });
    return open;
  };
  return {
    project,
    tool,
    read,
    graph,
    address,
    where,
    run,
    bytesOf,
    client,
    async seen(table) {
      const here = await client();
      const options = {
        ...reading,
        where,
        versionTable: table === undefined ? reading.versionTable : `${table.schema}.${table.table}`,
      };
      try {
        return await within(here, readVersions(here, options), answerLimitMs);
      } catch (error) {
        throw error instanceof UserError ? error : notRead(where, error);
      }
    },
    seenAt: (other) => versionsAt(other, reading, applicationName),
    async status(seen) {
      const unknown = await lostRevisions(unknownIds(graph, seen), { tool, project });
      const report = statusOf(
        graph,
        seen,
        unknown,
        (revision, checksum) => tool.rows?.compare(bytesOf(revision), checksum) ?? "same",
      );
      const { bind } = project;
      const named = bind === undefined ? report : { ...report, bind: bindLabel(bind.name) };
      if (unknown.length === 0) return named;
      const mergeLine = (heads: readonly string[], id: string) =>
        tool.mergeLine?.(project, heads, settings.run, id);
      const applied = seen.rows?.map(({ id }) => id) ?? seen.heads;
      return { ...named, mend: await mendLines(unknown, { tool, project, graph, run, applied, mergeLine }) };
    },
    [Symbol.asyncDispose]: () => close(open),
  };
}

async function isAlive(client: Client): Promise<boolean> {
  try {
    await within(client, client.query("select 1"), aliveLimitMs);
    return true;
  } catch {
    return false;
  }
}

function stampLine(tool: MigrationTool, project: ToolProject, run: readonly string[]): string | undefined {
  const words = tool.commands(project).stamp;
  return words === undefined ? undefined : [...run, ...words].map(shellWord).join(" ");
}
