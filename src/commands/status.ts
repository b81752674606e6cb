import { readFileSync } from "node:fs";
import path from "node:path";
import { type Address, connect, parseAddress } from "../databases/postgres/connection";
import { readVersions } from "../deploy/read-versions";
import { statusOf, unknownIds } from "../deploy/status";
import { ToolError, UserError } from "../errors";
import { isFatal } from "../findings/graph";
import type { StatusReport, UnknownRevision } from "../model/status";
import { lastCommitWith } from "../project/lost-file";
import { buildGraph } from "../revisions/graph";
import type { Settings } from "../settings";
import type { MigrationTool, ToolProject } from "../tools/contract";
import { findProject, readRevisions } from "../tools/find-project";
import { toolNamed } from "../tools/index";
import { shellWord } from "../tools/shell-words";

export interface StatusContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
}

/**
 * Which revisions a database has, by its version table and the revision files alone: the tool is not started, because
 * an env.py may write on any command, and nothing is written. A UserError where it cannot be told.
 */
export async function status({ settings, environment }: StatusContext): Promise<StatusReport> {
  const project = findProject(settings["working-directory"], settings);
  const tool = toolNamed(project.tool);
  const graph = buildGraph(readRevisions(project).revisions);
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
  const client = await connect(address, { applicationName: "migration-gate status" });
  try {
    const seen = await readVersions(client, {
      tool,
      versionTable: settings["version-table"],
      isKnown: (id) => graph.get(id) !== undefined,
      where: `${address.host}:${address.port}/${address.database}`,
      stamp: stampLine(tool, project, tool.runWords(project, settings.run, environment["PATH"])),
    });
    const unknown: UnknownRevision[] = [];
    for (const id of unknownIds(graph, seen)) unknown.push(await lookUp(tool, project.root, id));
    return statusOf(graph, seen, unknown, ({ location }, checksum) => {
      const bytes = readFileSync(path.join(project.root, location.file));
      return tool.rows?.compare(bytes, checksum) ?? "same";
    });
  } finally {
    await client.end().catch(() => undefined);
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

function databaseAddress(settings: Settings, environment: NodeJS.ProcessEnv): Address {
  const variable = settings["database-url-env"];
  const url = settings["database-url"];
  if (url !== undefined) return parseAddress(url, "database-url");
  const fromVariable = environment[variable];
  if (fromVariable !== undefined && fromVariable !== "") return parseAddress(fromVariable, variable);
  throw new UserError({
    what: `No database is named: ${variable} is not set.`,
    do: `Put the database's address into ${variable}, or name the variable that has it: --database-url-env NAME`,
  });
}
