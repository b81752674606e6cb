/**
 * - up to date: every revision of the source is applied, and nothing else.
 * - pending: some revisions of the source are not applied yet.
 * - unknown revisions: the version table holds ids that no revision file has; what else is applied cannot be told.
 * - dirty: one stopped half way, and the version table says so.
 * - checksum mismatch: a file has other bytes than were applied; the tool refuses to go on.
 * - first install: an empty database; everything is pending.
 */
export type StatusState =
  | "up to date"
  | "pending"
  | "unknown revisions"
  | "dirty"
  | "checksum mismatch"
  | "first install";

export interface RevisionStatus {
  readonly id: string;
  /** "not known" where an unknown head hides what lies below it. */
  readonly status: "applied" | "pending" | "not known" | "dirty" | "checksum mismatch";
  /** Of a checksum mismatch: the bytes that were applied are these with other line ends (CRLF). */
  readonly lineEndsOnly?: true;
  /** Pending, and a later one is applied. */
  readonly outOfOrder?: true;
  /** Pending, and these objects of it are there already: a try stopped half way, or somebody made them. */
  readonly present?: readonly string[];
  readonly parents: readonly string[];
  readonly message: string;
  /** When it was written, as its file says it. */
  readonly created?: string | undefined;
  /** Relative to the project's root, with `/`. */
  readonly file: string;
  readonly isHead: boolean;
  /** Two or more revisions name it as their parent. */
  readonly isBranchPoint: boolean;
  readonly isMergePoint: boolean;
}

/** An id in the version table that the source does not have. */
export interface UnknownRevision {
  readonly id: string;
  /** The newest commit of any branch whose tree has the file; undefined where git knows none. */
  readonly lastCommit: { readonly hash: string; readonly subject: string; readonly date: string } | undefined;
  /** The file in that commit, relative to the repository's root. */
  readonly file: string | undefined;
}

/** What a person types, in the project's folder, so that a database and its source agree again. */
export interface MendLines {
  /** The files of unknown revisions, from their last commits. */
  readonly restore: readonly string[];
  /** Then: the database without them. Undefined where the tool has no way back. */
  readonly takeBack: readonly string[] | undefined;
  /** Or: the source with them. */
  readonly keep: readonly string[];
}

/** The major version of a server that calls itself e.g. `17.10 (Debian 17.10-1)`. */
export function majorOf({ server }: { readonly server: string }): number {
  return Number.parseInt(server, 10);
}

/** The JSON of `status`: one object on stdout. `version` grows when a field changes its meaning or goes. */
export interface StatusReport {
  readonly version: 1;
  readonly state: StatusState;
  readonly database: { readonly name: string; readonly server: string };
  readonly versionTable: { readonly schema: string; readonly table: string } | undefined;
  /** The ids in the version table, and the heads of the source. */
  readonly heads: { readonly database: readonly string[]; readonly source: readonly string[] };
  /** Parents first. */
  readonly revisions: readonly RevisionStatus[];
  readonly unknown: readonly UnknownRevision[];
  /** Undefined where nothing is unknown, or git does not know all that is missing. */
  readonly mend?: MendLines | undefined;
  /** Of a project with several databases: which one this is. */
  readonly bind?: string;
}
