import { readEnvironments } from "../deploy/environments";
import type { EnvironmentState } from "../model/environment";
import type { Revision } from "../model/revision";
import type { RevisionHistory } from "../revisions/history";
import type { Settings } from "../settings";
import type { ToolProject } from "../tools/contract";
import { toolOf } from "../tools/index";

/** What the databases of the setting `environments` hold; undefined where the change takes nothing away, and none is asked. */
export async function environmentsOf(
  { settings, environment }: { readonly settings: Settings; readonly environment: NodeJS.ProcessEnv },
  project: ToolProject,
  revisions: readonly Revision[],
  { deleted }: Pick<RevisionHistory, "deleted">,
): Promise<readonly EnvironmentState[] | undefined> {
  if (deleted.length === 0 || settings.environments.length === 0) return undefined;
  const known = new Set([...revisions, ...deleted.map(({ revision }) => revision)].map(({ id }) => id));
  const reading = {
    tool: toolOf(project),
    versionTable: settings["version-table"],
    isKnown: (id: string) => known.has(id),
  };
  return await readEnvironments(settings.environments, reading, environment);
}
