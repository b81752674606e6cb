import { readFileSync } from "node:fs";
import path from "node:path";
import type { Client } from "pg";
import { type Address, connect } from "../databases/postgres/connection";
import { close, within } from "../databases/postgres/own-session";
import { ToolError, UserError } from "../errors";
import { isFatal } from "../findings/graph";
import type { Revision } from "../model/revision";
import type { StatusReport, UnknownRevision } from "../model/status";
import { lastCommitWith } from "../project/lost-file";
import { buildGraph, type Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import { bindLabel } from "../settings/binds";
import type { MigrationTool, ReadRevisions, ToolProject } from "../tools/contract";
import { findJudged, readRevisions } from "../tools/find-project";
import { toolNamed } from "../tools/index";
import { shellWord } from "../tools/shell-words";
import { databaseAddress } from "./database-address";
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
  const tool = toolNamed(project.tool);
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
  const run = tool.runWords(project, settings.run, environment["PATH"]);
  const where = placeOf(address);
  const reading = {
    tool,
    versionTable: settings["version-table"],
    isKnown: (id: string) => graph.get(id) !== undefined,
    stamp: stampLine(tool, project, run),
  };
  let open = await connect(address, { applicationName });
  const client = async () => {
    if (await isAlive(open)) return open;
    await close(open);
    open = await connect(address, { applicationName });
    return open;
  };
  const bytesOf: Target["bytesOf"] = ({ location }) => readFileSync(path.join(project.root, location.file));
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
      const unknown: UnknownRevision[] = [];
      for (const id of unknownIds(graph, seen)) unknown.push(await lookUp(tool, project.root, id));
      const report = statusOf(
        graph,
        seen,
        unknown,
        (revision, checksum) => tool.rows?.compare(bytesOf(revision), checksum) ?? "same",
      );
      const { bind } = project;
      return bind === undefined ? report : { ...report, bind: bindLabel(bind.name) };
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

async function lookUp(tool: MigrationTool, root: string, id: string): Promise<UnknownRevision> {
  const lost = await lastCommitWith(root, tool.revisionLine(id), tool.revisionFiles(id));
  return { id, lastCommit: lost?.commit, file: lost?.file };
}
