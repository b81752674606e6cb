import type { Finding } from "../model/finding";

export interface LaneTold {
  /** The setting require names the deploy lane. */
  readonly required: boolean;
  /** Of the shadow, e.g. "17.2". */
  readonly version: string;
  /** The project's configuration file. */
  readonly config: string;
}

/** The tool stops before any revision, here and not on an empty database: it compares what was applied with its files. */
export function refusedOnDeployed(reason: string, { version, config }: LaneTold): Finding {
  return {
    ...whole,
    rule: "fails-on-deployed",
    severity: "error",
    file: config,
    what: "The change cannot be applied to a database that was built by the base's revisions.",
    where: "deploy lane",
    seen: `PostgreSQL ${version}; ${reason}.`,
    why: "Production was built by what had landed, not by what the files say now: the next deploy would stop here.",
    do: "Restore the landed revisions (see revision-edited and revision-deleted), and write what they must lead to as a new one.",
  };
}

const whole = {
  revision: undefined,
  direction: undefined,
  line: undefined,
  column: undefined,
  object: undefined,
  suppressed: false,
  suppression: undefined,
} as const;

/** What the lane could not tell, and what to do about it. */
export function laneNotProved(
  reason: string,
  advice: string,
  { required, version, config }: LaneTold,
): Finding {
  return {
    ...whole,
    rule: "deploy-lane-not-proved",
    severity: required ? "error" : "note",
    file: config,
    what: "What the change does to a database with history and rows was not proved.",
    where: "deploy lane",
    seen: `PostgreSQL ${version}; ${reason}.`,
    why: "The fresh lane's verdict stands: it saw an empty database only.",
    do: advice,
  };
}
