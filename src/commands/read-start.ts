import { connect, parseAddress } from "../databases/postgres/connection";
import { close } from "../databases/postgres/own-session";
import { readVersions } from "../deploy/read-versions";
import { UserError } from "../errors";
import type { Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import type { MigrationTool, ToolProject } from "../tools/contract";

export interface ReadStartContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
}

/** The heads of the database that from-env names, by its version table alone; undefined without that setting. */
export async function readStart(
  { settings, environment }: ReadStartContext,
  { tool, graph }: { readonly project: ToolProject; readonly tool: MigrationTool; readonly graph: Graph },
): Promise<{ readonly heads: readonly string[]; readonly where: string } | undefined> {
  const variable = settings["from-env"];
  if (variable === undefined) return undefined;
  const url = environment[variable];
  if (url === undefined || url === "") {
    throw new UserError({
      what: `The deploy lane is to begin where ${variable} says, and ${variable} is not set.`,
      do: `Put the address of production's database into ${variable}; a role that may only read is enough. Or set from to a revision or tag.`,
    });
  }
  const address = parseAddress(url, variable);
  const where = `${address.host}:${address.port}/${address.database}`;
  const client = await connect(address, { applicationName: "migration-gate check" });
  try {
    const { heads } = await readVersions(client, {
      tool,
      versionTable: settings["version-table"],
      isKnown: (id) => graph.get(id) !== undefined,
      where,
      stamp: undefined,
    });
    return { heads, where };
  } finally {
    await close(client);
  }
}
