import { parseAddress } from "../databases/postgres/connection";
import { placeOf, versionsAt } from "../deploy/versions-at";
import { UserError } from "../errors";
import type { Graph } from "../revisions/graph";
import type { Settings } from "../settings";
import type { MigrationTool } from "../tools/contract";

export interface ReadStartContext {
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
}

/** The heads of the database that from-env names, by its version table alone; undefined without that setting. */
export async function readStart(
  { settings, environment }: ReadStartContext,
  { tool, graph }: { readonly tool: MigrationTool; readonly graph: Graph },
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
  const { heads } = await versionsAt(
    address,
    {
      tool,
      versionTable: settings["version-table"],
      isKnown: (id) => graph.get(id) !== undefined,
      stamp: undefined,
    },
    "migration-gate check",
  );
  return { heads, where: placeOf(address) };
}
