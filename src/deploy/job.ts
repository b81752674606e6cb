import type { Catalog } from "../model/catalog";
import type { BackupReport, DeployReport, Problem } from "../model/deployment";
import type { Revision } from "../model/revision";
import type { Settings } from "../settings";
import type { GateLock } from "./gate-lock";
import type { Goal } from "./goal";
import type { ProofFile } from "./proof";
import type { SeenDatabase } from "./status";
import type { Target } from "./target";

/** What a person or a workflow sees while it runs. */
export interface Listener {
  /** A sentence on what is done now. */
  say(text: string): void;
  /** A line of the tool's output. */
  onLine(line: string): void;
  /** Writes the record and returns its path; it takes secrets out. */
  record(report: DeployReport): string;
}

/** What the tool does to another database of the project. */
export interface OtherJob {
  /** As the project calls it; "" is the default one. */
  readonly name: string;
  readonly target: Target;
  readonly seen: SeenDatabase;
  readonly goal: Pick<Goal, "applied" | "heads" | "pending">;
  /** Undefined where nothing is pending. */
  readonly backup: BackupReport | undefined;
}

/** A write of the database by the tool, all questions asked and the backup taken. */
export interface Job {
  readonly command: DeployReport["command"];
  readonly target: Target;
  readonly settings: Settings;
  readonly environment: NodeJS.ProcessEnv;
  readonly seen: SeenDatabase;
  /** Every revision that is to be applied in the end. */
  readonly applied: ReadonlySet<string>;
  /** What the version table is to hold in the end. */
  readonly goalHeads: readonly string[];
  /** What is done, in its order. */
  readonly revisions: readonly Revision[];
  /** The tool's arguments. */
  readonly words: readonly string[];
  /** The reverse that the gate runs instead of the tool, as the project names it. */
  readonly reverse?: string | undefined;
  /** What is left to do once the database is where it was to be. */
  readonly afterwards?: readonly string[];
  /** The database's schema before. */
  readonly catalog: Catalog;
  /** Where the setting proof names one. */
  readonly proof: ProofFile | undefined;
  readonly backup: BackupReport;
  /** The databases that the same start of the tool migrates. */
  readonly others?: readonly OtherJob[];
  readonly warnings: readonly Problem[];
  readonly lock: GateLock;
  readonly listener: Listener;
  /** performance.now() at the command's start. */
  readonly started: number;
}
