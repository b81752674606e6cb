import type { RevisionStatus, StatusReport, UnknownRevision } from "../model/status";
import type { Graph } from "../revisions/graph";

/** What the database was seen to hold. */
export interface SeenDatabase {
  readonly database: StatusReport["database"];
  /** Undefined where there is no version table and no other table: nothing was installed yet. */
  readonly versionTable: { readonly schema: string; readonly table: string } | undefined;
  /** The version table's content. */
  readonly heads: readonly string[];
}

/**
 * Applied and pending by the version table's content alone. Below an id that the source does not have nothing is
 * known, except what another head implies.
 */
export function statusOf(
  graph: Graph,
  seen: SeenDatabase,
  unknown: readonly UnknownRevision[],
): StatusReport {
  const applied = graph.applied(seen.heads);
  const statusOfRevision = (id: string): RevisionStatus["status"] =>
    applied.has(id) ? "applied" : unknown.length > 0 ? "not known" : "pending";
  const children = new Map<string, number>();
  for (const { parents } of graph.revisions)
    for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  const heads = new Set(graph.heads);
  const revisions = graph.revisions.map(({ id, parents, message, location }) => ({
    id,
    status: statusOfRevision(id),
    parents,
    message,
    file: location.file,
    isHead: heads.has(id),
    isBranchPoint: (children.get(id) ?? 0) > 1,
    isMergePoint: parents.length > 1,
  }));
  return {
    version: 1,
    state: stateOf(revisions, seen, unknown),
    database: seen.database,
    versionTable: seen.versionTable,
    heads: { database: [...seen.heads].sort(), source: graph.heads },
    revisions,
    unknown,
  };
}

function stateOf(
  revisions: readonly RevisionStatus[],
  seen: SeenDatabase,
  unknown: readonly UnknownRevision[],
): StatusReport["state"] {
  if (unknown.length > 0) return "unknown revisions";
  if (seen.versionTable === undefined) return "first install";
  return revisions.every(({ status }) => status === "applied") ? "up to date" : "pending";
}

/** Pending revisions are no fault everywhere: the setting status-fails says what is one. */
export function isFault(state: StatusReport["state"], fails: "unknown" | "pending" | "never"): boolean {
  if (state === "up to date" || fails === "never") return false;
  return state === "unknown revisions" || fails === "pending";
}
