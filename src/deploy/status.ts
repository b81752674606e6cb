import type { Revision } from "../model/revision";
import type { RevisionStatus, StatusReport, UnknownRevision } from "../model/status";
import type { Graph } from "../revisions/graph";

/** What the database was seen to hold. */
export interface SeenDatabase {
  readonly database: StatusReport["database"];
  /** Undefined where there is none, and no other table but those of another source: nothing was installed yet. */
  readonly versionTable: { readonly schema: string; readonly table: string } | undefined;
  /** The version table's content. */
  readonly heads: readonly string[];
  /** Its rows, where the tool writes one for each revision that it applied. */
  readonly rows?: readonly AppliedRow[] | undefined;
}

export interface AppliedRow {
  readonly id: string;
  /** False where it stopped half way. */
  readonly success: boolean;
  readonly checksum: string;
}

/** What the bytes of a revision's file are to the checksum of what was applied. */
export type CompareChecksum = (revision: Revision, checksum: string) => "same" | "line ends" | "different";

/** Ids in the version table that the source does not have. */
export function unknownIds(graph: Graph, { heads, rows }: SeenDatabase): string[] {
  return (rows?.map(({ id }) => id) ?? heads).filter((id) => graph.get(id) === undefined);
}

/**
 * Applied and pending by the version table's content alone. Below an id that the source does not have nothing is
 * known, except what another head implies.
 */
export function statusOf(
  graph: Graph,
  seen: SeenDatabase,
  unknown: readonly UnknownRevision[],
  compare: CompareChecksum = () => "same",
): StatusReport {
  const applied = graph.applied(seen.heads);
  const rows = seen.rows === undefined ? undefined : new Map(seen.rows.map((row) => [row.id, row]));
  const lastApplied = graph.revisions.findLastIndex(({ id }) => rows?.has(id));
  const statusOfRevision = (revision: Revision, index: number): StatusFacts => {
    if (rows !== undefined) return statusOfRow(revision, rows.get(revision.id), index < lastApplied, compare);
    if (applied.has(revision.id)) return { status: "applied" };
    return { status: unknown.length > 0 ? "not known" : "pending" };
  };
  const children = new Map<string, number>();
  for (const { parents } of graph.revisions)
    for (const parent of parents) children.set(parent, (children.get(parent) ?? 0) + 1);
  const heads = new Set(graph.heads);
  const revisions = graph.revisions.map((revision, index) => {
    const { id, parents, message, created, location } = revision;
    return {
      id,
      ...statusOfRevision(revision, index),
      parents,
      message,
      created,
      file: location.file,
      isHead: heads.has(id),
      isBranchPoint: (children.get(id) ?? 0) > 1,
      isMergePoint: parents.length > 1,
    };
  });
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

type StatusFacts = Pick<RevisionStatus, "status" | "lineEndsOnly" | "outOfOrder">;

function statusOfRow(
  revision: Revision,
  row: AppliedRow | undefined,
  isBelowApplied: boolean,
  compare: CompareChecksum,
): StatusFacts {
  if (row === undefined) return { status: "pending", ...(isBelowApplied ? { outOfOrder: true } : {}) };
  if (!row.success) return { status: "dirty" };
  const found = compare(revision, row.checksum);
  if (found === "same") return { status: "applied" };
  return { status: "checksum mismatch", ...(found === "line ends" ? { lineEndsOnly: true } : {}) };
}

function stateOf(
  revisions: readonly RevisionStatus[],
  seen: SeenDatabase,
  unknown: readonly UnknownRevision[],
): StatusReport["state"] {
  if (unknown.length > 0) return "unknown revisions";
  for (const worst of ["dirty", "checksum mismatch"] as const)
    if (revisions.some(({ status }) => status === worst)) return worst;
  if (seen.versionTable === undefined) return "first install";
  return revisions.every(({ status }) => status === "applied") ? "up to date" : "pending";
}

/** Pending revisions are no fault everywhere: the setting status-fails says what is one. */
export function isFault(state: StatusReport["state"], fails: "unknown" | "pending" | "never"): boolean {
  if (state === "up to date" || fails === "never") return false;
  return (state !== "pending" && state !== "first install") || fails === "pending";
}
