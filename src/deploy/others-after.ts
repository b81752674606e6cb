import { setTimeout as sleep } from "node:timers/promises";
import type { DeployReport, DeployState, OtherDatabase, Problem } from "../model/deployment";
import { bindLabel } from "../settings/binds";
import { type AtWork, endSessions } from "./at-work";
import { isAt } from "./goal";
import type { Job, OtherJob } from "./job";
import type { MigrationResult } from "./migrate";
import type { SeenDatabase } from "./status";

/** A server that does not answer must not keep the report from being written. */
const answerLimitMs = 5_000;

/** What became of each database that the tool migrated beside the own one, by its version table. */
export function othersAfter(
  { others = [] }: Job,
  databases: readonly AtWork[],
  { invalidElsewhere }: Pick<MigrationResult, "invalidElsewhere">,
  isReached: boolean,
): Promise<readonly OtherDatabase[]> {
  return Promise.all(
    others.map((other) => {
      const database = databases.find(({ target }) => target === other.target);
      const invalid = invalidElsewhere.find(({ bind }) => bind === bindLabel(other.name))?.names ?? [];
      return after(other, database, invalid, isReached);
    }),
  );
}

async function after(
  { name, target, seen, goal, backup }: OtherJob,
  database: AtWork | undefined,
  invalidIndexes: readonly string[],
  isReached: boolean,
): Promise<OtherDatabase> {
  const read = inTheEnd(seen, database).catch(() => undefined);
  const now = isReached ? await Promise.race([read, sleep(answerLimitMs, undefined)]) : undefined;
  const { graph } = target;
  const state = (): OtherDatabase["state"] => {
    if (now === undefined) return "unknown";
    if (invalidIndexes.length > 0) return "partly applied";
    if (isAt(graph, now.heads, goal.applied)) return "at target";
    return isAt(graph, now.heads, graph.applied(seen.heads)) ? "unchanged" : "partly applied";
  };
  return {
    bind: bindLabel(name),
    database: seen.database,
    heads: { before: seen.heads, goal: goal.heads, after: now?.heads },
    state: state(),
    invalidIndexes,
    backup,
  };
}

/** Undefined where a session of the tool is still at work: what the version table says would not be final. */
async function inTheEnd(
  { versionTable }: SeenDatabase,
  database: AtWork | undefined,
): Promise<SeenDatabase | undefined> {
  if (database === undefined || !(await endSessions(database))) return undefined;
  return await database.target.seen(versionTable);
}

/** The state of all together: each commits by itself, so that one may be done and another not. */
export function withOthers(
  command: DeployReport["command"],
  own: DeployState,
  others: readonly OtherDatabase[],
): { readonly state: DeployState; readonly problem: Problem | undefined } {
  const isMoved = ({ heads: { before, after: now }, invalidIndexes }: OtherDatabase) =>
    now === undefined || [...now].sort().join() !== [...before].sort().join() || invalidIndexes.length > 0;
  const behind = others.filter(({ state }) => state !== "at target");
  const moved = others.filter(isMoved);
  const strange = own === "unchanged" ? moved : behind;
  if (strange.length === 0 || own === "partly applied" || own === "unknown")
    return { state: own, problem: undefined };
  return {
    state: strange.some(({ state }) => state === "unknown") ? "unknown" : "partly applied",
    problem: {
      what:
        own === "unchanged"
          ? "Another database of the project was changed, and this one was not."
          : "Another database of the project is not where it was to be.",
      seen: strange
        .map(({ bind, heads, invalidIndexes }) => {
          const at = `"${bind}" is at ${heads.after === undefined ? "what could not be read" : heads.after.join(", ") || "nothing"}`;
          return invalidIndexes.length === 0
            ? at
            : `${at}, with an invalid index: ${invalidIndexes.join(", ")}`;
        })
        .join("\n"),
      why: "The tool commits each database by itself.",
      do: `Mend what stopped it. ${wayOn(command, own, strange)}`,
    },
  };
}

/** The same job again has nothing to do where its own database is done; and one back is another revision then. */
function wayOn(
  command: DeployReport["command"],
  own: DeployState,
  strange: readonly OtherDatabase[],
): string {
  if (command === "rollback")
    return "Bring all of them to the same revision again (migration-gate apply --bind of the one that was taken back), then run the same rollback.";
  if (own === "unchanged") return "Then run the same job again: each database goes on from where it is.";
  return `Then: ${strange.map(({ bind }) => `migration-gate apply --bind ${bind}`).join("; ")}`;
}

/** The fields of the report; none of a project with one database. */
export function othersIn(
  { target }: Job,
  others: readonly OtherDatabase[],
): Pick<DeployReport, "bind" | "others"> {
  const { bind } = target.project;
  return bind === undefined ? {} : { bind: bindLabel(bind.name), others };
}
