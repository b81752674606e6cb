import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors";
import {
  applyBaseline,
  type BaselineEntry,
  baselineText,
  type EditedTexts,
  parseBaseline,
} from "../findings/baseline";
import { type RevisionRemark, suppress } from "../findings/suppressions";
import type { DeployLaneReport } from "../model/deploy-lane";
import type { Finding } from "../model/finding";
import type { RevisionBody } from "../model/operation";
import type { Policy } from "../model/policy";
import type { Revision } from "../model/revision";
import type { RevisionHistory } from "../revisions/history";
import type { Settings } from "../settings";

export interface SettleContext {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly accepted: Accepted;
  readonly history: RevisionHistory | undefined;
  /** The revisions under judgement, and the deleted ones. */
  readonly changed: ReadonlySet<string>;
  /** All that have a file. */
  readonly revisions: ReadonlySet<string>;
  /** Undefined where that lane was not run. */
  readonly deployLane: DeployLaneReport | undefined;
}

/** What the project's files accept. */
export interface Accepted {
  readonly remarks: readonly RevisionRemark[];
  /** Undefined where there is none, or a new one is to be written. */
  readonly baseline: readonly BaselineEntry[] | undefined;
}

/** Reads it all; to be called before foreign code runs, which could write these files. */
export function readAccepted(
  settings: Settings,
  judged: readonly Revision[],
  bodyOf: (revision: Revision) => RevisionBody,
): Accepted {
  const remarks = judged.flatMap((revision) =>
    bodyOf(revision).remarks.map((remark) => ({ revision: revision.id, remark })),
  );
  if (settings["write-baseline"]) return { remarks, baseline: undefined };
  const text = readBaseline(baselineFile(settings), settings.baseline);
  return { remarks, baseline: text === undefined ? undefined : parseBaseline(text, settings.baseline) };
}

/** Findings after comments, migration-gate.yml and baseline; writes the baseline where that is asked for. */
export function settle(findings: readonly Finding[], proofRan: boolean, context: SettleContext): Finding[] {
  const { settings, policy, accepted, history, changed: judged } = context;
  const name = settings.baseline;
  const edited: EditedTexts = history?.edited ?? new Map();
  const compared = history !== undefined;
  const known = { judged, proofRan, deployLane: context.deployLane };
  const suppressed = suppress(findings, {
    remarks: accepted.remarks,
    policy,
    compared,
    revisions: isShared(context) ? undefined : context.revisions,
    ...known,
  });
  let entries = accepted.baseline;
  if (settings["write-baseline"]) {
    const text = baselineText(suppressed, edited);
    writeBaseline(baselineFile(settings), name, text);
    entries = parseBaseline(text, name);
  }
  return entries === undefined
    ? suppressed
    : applyBaseline(suppressed, entries, { file: name, edited, ...known });
}

/** At the root of a repository the file may be that of several projects. */
function isShared({ settings, policy }: SettleContext): boolean {
  if (policy.file === undefined) return false;
  return path.dirname(path.resolve(policy.file)) !== path.resolve(settings["working-directory"]);
}

function baselineFile(settings: Settings): string {
  return path.resolve(settings["working-directory"], settings.baseline);
}

function readBaseline(file: string, name: string): string | undefined {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw unusable(name, "read", error);
  }
}

function writeBaseline(file: string, name: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw unusable(name, "written", error);
  }
}

function unusable(name: string, verb: string, error: unknown): UserError {
  return new UserError(
    {
      what: `The baseline ${name} cannot be ${verb}.`,
      seen: error instanceof Error ? error.message : String(error),
      do: "Set baseline to a file in a folder that exists and can be written.",
    },
    { cause: error },
  );
}
