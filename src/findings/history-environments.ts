import type { EnvironmentState, SeenEnvironment } from "../model/environment";
import type { Revision } from "../model/revision";
import type { Graph } from "../revisions/graph";
import { quoted } from "./history-words";

/**
 * The landed revisions that an environment has; undefined where its version table holds an id that neither the base nor
 * the change knows, because that hides what lies below it.
 */
export function heldBy(
  { heads, rows }: SeenEnvironment,
  landed: Graph,
  now: readonly Revision[],
): ReadonlySet<string> | undefined {
  if (rows !== undefined) return new Set(rows.map(({ id }) => id));
  const known = new Set(now.map(({ id }) => id));
  if (heads.some((id) => landed.get(id) === undefined && !known.has(id))) return undefined;
  return landed.applied(heads);
}

/** A line for `seen`. */
export function environmentLine(state: EnvironmentState): string {
  if (state.kind === "not read") return `${state.name} was not read: ${state.reason}`;
  const { where, heads, time } = state;
  return `${where} is at ${quoted(heads).join(", ") || "nothing"}, seen at ${time}.`;
}

export function namesOf(states: readonly EnvironmentState[]): string {
  const names = states.map(({ name }) => name);
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
