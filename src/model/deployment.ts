/**
 * What a write left the database in, told by its version table and never by an exit code.
 * - unchanged: nothing was written.
 * - at target: what was asked for is done and verified.
 * - partly applied: some of it is committed, and the version table says how much.
 * - unverified: the version table is at the target, but something else is not as it should be.
 * - unknown: the database could not be read afterwards.
 */
export type DeployState = "unchanged" | "at target" | "partly applied" | "unverified" | "unknown";

/** What was kept before a write. */
export interface BackupReport {
  readonly kind: "dump" | "none";
  /** Why there is none; undefined for a dump. */
  readonly because: string | undefined;
  /** The file's path, the artifact's name, or the words of the command that took it. */
  readonly location: string | undefined;
  /** The manifest's path: what is in the backup, and what it was verified by. */
  readonly manifest: string | undefined;
  /** Of the stored bytes, hexadecimal. */
  readonly sha256: string | undefined;
  /** Of what was stored. */
  readonly bytes: number | undefined;
  readonly encrypted: boolean;
  readonly milliseconds: number;
  /** The command line that restores it, without a secret; undefined where there is none. */
  readonly restore: string | undefined;
}

/** What happened, where, what was seen, why it matters, what to do: the parts of a message. */
export interface Problem {
  readonly what: string;
  readonly where?: string;
  readonly seen?: string;
  readonly why?: string;
  readonly do: string;
}

/** One revision that was to be applied or taken back. */
export interface DeployedRevision {
  readonly id: string;
  readonly message: string;
  /** Relative to the project's root, with `/`. */
  readonly file: string;
  /** Of the file's bytes, hexadecimal: what was run. */
  readonly sha256: string;
  /** By the version table afterwards; "not known" where it could not be read. */
  readonly status: "done" | "not done" | "not known";
}

/** One wait that the gate ended, or that was long enough to tell. */
export interface LockWait {
  readonly statement: string;
  readonly milliseconds: number;
  /** One line each: pid, user, application, what it does. */
  readonly blockedBy: readonly string[];
  readonly cancelled: boolean;
  /** Of a project with several databases: in which one. */
  readonly bind?: string;
}

/** The JSON of `apply` and `rollback`: one object on stdout. `version` grows when a field changes its meaning or goes. */
export interface DeployReport {
  readonly version: 1;
  readonly command: "apply" | "rollback";
  readonly outcome: "done" | "nothing to do" | "failed";
  readonly state: DeployState;
  readonly database: { readonly name: string; readonly server: string };
  readonly heads: {
    readonly before: readonly string[];
    readonly goal: readonly string[];
    /** Undefined where the version table could not be read afterwards. */
    readonly after: readonly string[] | undefined;
  };
  /** What was to be done, in the order in which it was to be done. */
  readonly revisions: readonly DeployedRevision[];
  readonly backup: BackupReport | undefined;
  /** Starts of the tool. */
  readonly tries: number;
  readonly waits: readonly LockWait[];
  /** Objects of the schema that differ from before although no revision was finished that made them. */
  readonly leftovers: readonly string[];
  /** Why it is not done. */
  readonly problems: readonly Problem[];
  readonly warnings: readonly Problem[];
  /** What to type next; empty where nothing is left to do. */
  readonly next: readonly string[];
  readonly milliseconds: number;
  /** The path of the record. */
  readonly record: string | undefined;
  /** Of a project with several databases: which one this is. */
  readonly bind?: string;
  /** Those that the same start of the tool migrated. */
  readonly others?: readonly OtherDatabase[];
}

/** Another database of the project, by its own version table. */
export interface OtherDatabase {
  readonly bind: string;
  readonly database: DeployReport["database"];
  readonly heads: DeployReport["heads"];
  readonly state: Exclude<DeployState, "unverified">;
  /** Indexes that a build left which did not end, by their qualified names. */
  readonly invalidIndexes: readonly string[];
  /** Undefined where nothing was pending. */
  readonly backup: BackupReport | undefined;
}

/** One statement as it was recorded on the shadow database. */
export interface PlannedStatement {
  readonly sql: string;
  /** Of its structure, without constants (libpg-query's fingerprint); the text's SHA-256 where it does not parse. */
  readonly fingerprint: string;
  /** E.g. `AccessExclusiveLock on boards.cards`; undefined where it could not be replayed alone. */
  readonly locks: readonly string[] | undefined;
  readonly rewrites: readonly string[];
}

/**
 * How a revision is taken back.
 * - proved downgrade: its downgrade was proved, and removes nothing that could hold data.
 * - loses data: proved, and `loses` names what goes with it.
 * - irreversible: its author says so, with a reason.
 * - restore only: its downgrade fails, or could not be proved; only a backup leads back.
 */
export interface WayBack {
  readonly kind: "proved downgrade" | "loses data" | "irreversible" | "restore only";
  readonly reason: string | undefined;
  /** Tables and columns as the catalog names them, and statements that delete rows. */
  readonly loses: readonly string[];
  /** Where there is no proved downgrade: statements, and comments on what they leave out, that a person may start from. */
  readonly proposal?: readonly string[] | undefined;
}

export interface PlannedRevision {
  readonly id: string;
  readonly message: string;
  readonly file: string;
  readonly sha256: string;
  /** Why the step that the command would take is not proved; undefined where it is. */
  readonly notProved: string | undefined;
  readonly statements: readonly PlannedStatement[];
  readonly wayBack: WayBack;
}

/** In which order a release and its database go back. */
export interface RollbackOrder {
  readonly first: "code" | "database" | "neither" | "either";
  readonly why: string;
  /** One after the other. */
  readonly steps: readonly string[];
  /** The last commit without the revision; undefined where git does not know it. */
  readonly commit: string | undefined;
}

/** The JSON of `apply --dry-run` and `rollback --dry-run`; `apply --plan` takes the first. */
export interface DeployPlan {
  readonly version: 1;
  readonly kind: "plan";
  readonly command: DeployReport["command"];
  readonly database: { readonly name: string; readonly server: string };
  readonly heads: { readonly before: readonly string[]; readonly goal: readonly string[] };
  /** Of env.py and of the files that the revisions may read, hexadecimal. */
  readonly environment: string;
  /** Parents first. */
  readonly revisions: readonly PlannedRevision[];
  /** The server on which the statements were recorded. */
  readonly shadow: { readonly version: string; readonly major: number };
  /** Of a project with several databases: which one this is. */
  readonly bind?: string;
  /** What is pending in those that the same start of the tool migrates. */
  readonly others?: readonly { readonly bind: string; readonly pending: readonly string[] }[];
  /** Of a rollback. */
  readonly order?: RollbackOrder;
}
