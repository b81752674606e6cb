import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import type { Graph } from "../revisions/graph";
import { compareVersions } from "../revisions/in-order";
import type { GraphProblem } from "../revisions/problems";
import type { ReadProblem, Unprovable } from "../tools/contract";
import { nextVersionLine } from "./next-version";

const advice: Readonly<Record<GraphProblem["rule"], { readonly why: string; readonly do: string }>> = {
  "multiple-heads": {
    why: "`upgrade head` refuses to choose between them, and a deploy stops.",
    do: "Merge them, or give the newer one the other as its down_revision.",
  },
  "missing-parent": {
    why: "The history cannot be loaded: every command of the tool fails.",
    do: "Restore the file of that revision, or name the right one.",
  },
  "duplicate-revision": {
    why: "The tool uses one of the files and leaves the other out, without an error.",
    do: "Give one of them a new id, and correct the down_revision of those that follow it.",
  },
  "revision-cycle": {
    why: "The history has no beginning there: every command of the tool fails.",
    do: "Correct the down_revision of one of them.",
  },
};

/** Problems of the graph that stop the tool before it reaches a database. */
export function isFatal(problem: GraphProblem): boolean {
  return problem.rule !== "multiple-heads";
}

/** The graph as it will be once the change is merged into a target that has gone on. */
export interface MergedGraph {
  readonly graph: Graph;
  /** The target's commit. */
  readonly tip: string;
}

export interface GraphJudgement {
  readonly judged: ReadonlySet<string>;
  /** The command that joins these heads; `heads` stands for all of them. */
  readonly mergeLine: (heads: readonly string[]) => string;
  readonly merged?: MergedGraph;
  /** True where the target has the revision as it is. */
  readonly isTargets?: (id: string) => boolean;
}

/** Problems of the graph, and those that only merging makes. */
export function graphFindings(
  graph: Graph,
  { judged, mergeLine, merged, isTargets = () => false }: GraphJudgement,
): Finding[] {
  const keyOf = ({ rule, text }: GraphProblem) => `${rule} ${text}`;
  const known = new Set(graph.problems.map(keyOf));
  const made = merged?.graph.problems.filter((problem) => !known.has(keyOf(problem))) ?? [];
  const hasMoreHeads = made.some(({ rule }) => rule === "multiple-heads");
  const own = graph.problems.filter(({ rule }) => !(hasMoreHeads && rule === "multiple-heads"));
  const view = { judged, isTargets, mergeLine };
  return [
    ...own.map((problem) => problemFinding(problem, { ...view, graph, tip: undefined })),
    ...(merged === undefined ? [] : made.map((problem) => problemFinding(problem, { ...view, ...merged }))),
  ];
}

interface GraphView {
  readonly graph: Graph;
  readonly tip: string | undefined;
  readonly judged: ReadonlySet<string>;
  isTargets(id: string): boolean;
  mergeLine(heads: readonly string[]): string;
}

function problemFinding(problem: GraphProblem, view: GraphView): Finding {
  const culprits = problem.revisions.filter(({ id }) => view.judged.has(id) && !view.isTargets(id));
  // Of two files with one id, ours comes first.
  const revision =
    culprits.at(-1) ?? problem.revisions.find(({ id }) => view.judged.has(id)) ?? problem.revisions.at(-1);
  const files = view.tip === undefined ? "" : `, and those of the target at ${view.tip.slice(0, 10)}`;
  return {
    rule: problem.rule,
    severity: problem.revisions.some(({ id }) => view.judged.has(id)) ? "error" : "note",
    revision: revision?.id,
    direction: undefined,
    file: revision?.location.file,
    line: revision?.location.line,
    column: revision?.location.column,
    object: undefined,
    what: problem.text,
    where: `revisions ${problem.revisions.map(({ id }) => id).join(", ")}`,
    seen:
      problem.rule === "multiple-heads"
        ? problem.revisions.map((head) => headText(head, view)).join("\n")
        : `The revision files${files}.`,
    ...advice[problem.rule],
    ...(problem.rule === "multiple-heads" ? { do: mendHeads(problem, view) } : {}),
    ...(problem.rule === "duplicate-revision" && revision?.sql !== undefined
      ? { do: `Give it a version above all others: ${nextVersionLine(revision, lastOf(view, revision))}` }
      : {}),
    suppressed: false,
    suppression: undefined,
  };
}

function lastOf({ graph }: GraphView, { id }: Revision): string {
  return [id, ...graph.revisions.map((each) => each.id)].sort(compareVersions).at(-1) ?? id;
}

function headText({ id, location }: Revision, { tip, isTargets }: GraphView): string {
  const commit = tip === undefined ? "" : ` at ${tip.slice(0, 10)}`;
  return `"${id}" is ${location.file}${isTargets(id) ? `, from the target${commit}` : ""}.`;
}

/** Two heads because the target went on: the first of our revisions can follow the target's head. */
function mendHeads({ revisions }: GraphProblem, { graph, tip, isTargets, mergeLine }: GraphView): string {
  const theirs = revisions.filter(({ id }) => isTargets(id));
  const ours = revisions.filter(({ id }) => !isTargets(id));
  const [their, our] = [theirs[0], ours[0]];
  if (their === undefined || our === undefined || revisions.length > 2)
    return `Merge them: ${mergeLine(["heads"])}. Or give the newer one the other as its down_revision.`;
  const first = graph.revisions.filter(
    ({ id, parents }) => !isTargets(id) && graph.ancestors(our.id).has(id) && parents.every(isTargets),
  );
  const [only] = first;
  const before = tip === undefined ? "" : "Merge the target into this branch. Then ";
  const merge = mergeLine([our.id, their.id]);
  if (only === undefined || first.length > 1 || only.parents.length !== 1)
    return `${before}${before === "" ? "M" : "m"}erge the heads: ${merge}`;
  const line = `down_revision = "${their.id}" in ${only.location.file}, where it is "${only.parents[0]}"`;
  return `${before}${before === "" ? "S" : "s"}et ${line}. Or merge the heads: ${merge}`;
}

/** What the version table held and no revision explains: something ran that nobody judged. */
export function unexplainedFindings(
  texts: readonly string[],
  shadow: { readonly version: string },
): Finding[] {
  return notProved(texts, shadow, {
    what: "The version table held something that no revision explains, so that a step of this history was not judged.",
    do: "Write revision and down_revision as constant strings, let only the tool write to its version table, and build a program that brings its migrations along from this very commit.",
  });
}

/** What came once and did not come again: nothing that was seen of this history can be relied on. */
export function unsteadyFindings(texts: readonly string[], shadow: { readonly version: string }): Finding[] {
  return notProved(texts, shadow, {
    what: "The revisions did something else when they were run once more on an empty database.",
    do: "Let revisions depend on the database alone: no clock, no random names, no files or objects that an earlier run left.",
  });
}

/** The tool runs such a project in a way that no lane can follow. */
export function unprovableFinding({ what, reason, do: advice }: Unprovable, config: string): Finding {
  return {
    rule: "not-proved",
    severity: "error",
    revision: undefined,
    direction: undefined,
    file: config,
    line: undefined,
    column: undefined,
    object: undefined,
    what,
    where: config,
    seen: `Nothing was run: ${reason}.`,
    why: "A check that does not know what ran must not pass.",
    do: advice,
    suppressed: false,
    suppression: undefined,
  };
}

function notProved(
  texts: readonly string[],
  shadow: { readonly version: string },
  told: Pick<Finding, "what" | "do">,
): Finding[] {
  return texts.slice(0, 5).map((text) => ({
    rule: "not-proved",
    severity: "error",
    revision: undefined,
    direction: undefined,
    file: undefined,
    line: undefined,
    column: undefined,
    object: undefined,
    where: "fresh lane",
    ...told,
    seen: `PostgreSQL ${shadow.version}; ${text}.`,
    why: "A check that does not know what ran must not pass.",
    suppressed: false,
    suppression: undefined,
  }));
}

/** Files that could not be read to their end. */
export function readFindings(
  problems: readonly ReadProblem[],
  isJudged: (file: string) => boolean = () => true,
): Finding[] {
  return problems.map((problem) => ({
    rule: "not-analysed",
    // Of a label the tool's own word is enough; without id or parent a revision is not known at all.
    severity:
      !isJudged(problem.file) ||
      (problem.kind === "not-a-constant" && !/^(?:down_)?revision /.test(problem.text))
        ? "note"
        : "error",
    revision: undefined,
    direction: undefined,
    file: problem.file,
    line: problem.line,
    column: problem.column,
    object: undefined,
    what: problem.text,
    where: problem.file,
    seen: "The revision file.",
    why: "What the tool does with this file is not known before it runs.",
    do: "Correct the file, or move it out of the versions folder.",
    suppressed: false,
    suppression: undefined,
  }));
}
