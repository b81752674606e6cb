import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { UserError } from "../errors";
import { applyBaseline, baselineText, parseBaseline } from "../findings/baseline";
import { suppress } from "../findings/suppressions";
import type { Finding } from "../model/finding";
import type { RevisionBody } from "../model/operation";
import type { Policy } from "../model/policy";
import type { Revision } from "../model/revision";
import type { Graph } from "../revisions/graph";
import type { Settings } from "../settings";

export interface SettleContext {
  readonly settings: Settings;
  readonly policy: Policy;
  readonly graph: Graph;
  /** The revisions under judgement: their comments count. */
  readonly judged: ReadonlySet<string>;
  /** Those, and the deleted ones. */
  readonly changed: ReadonlySet<string>;
  bodyOf(revision: Revision): RevisionBody;
}

/** Findings after comments, migration-gate.yml and baseline; writes the baseline where that is asked for. */
export function settle(findings: readonly Finding[], proofRan: boolean, context: SettleContext): Finding[] {
  const { settings, policy, graph, judged, changed, bodyOf } = context;
  const remarks = graph.revisions
    .filter(({ id }) => judged.has(id))
    .flatMap((revision) => bodyOf(revision).remarks.map((remark) => ({ revision: revision.id, remark })));
  const suppressed = suppress(findings, { remarks, policy, judged: changed, proofRan });
  const name = settings.baseline;
  const file = path.resolve(settings["working-directory"], name);
  if (settings["write-baseline"]) writeBaseline(file, name, baselineText(suppressed));
  const text = readBaseline(file, name);
  return text === undefined
    ? suppressed
    : applyBaseline(suppressed, parseBaseline(text, name), { file: name, judged: changed, proofRan });
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
