import type { Finding } from "../model/finding";
import type { GraphProblem } from "../revisions/problems";
import type { ReadProblem } from "../tools/contract";

const advice: Readonly<Record<GraphProblem["rule"], { readonly why: string; readonly do: string }>> = {
  "multiple-heads": {
    why: "`upgrade head` refuses to choose between them, and a deploy stops.",
    do: 'Merge them: alembic merge -m "merge heads" heads. Or give the newer one the other as its down_revision.',
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

export function graphFindings(problems: readonly GraphProblem[], judged: ReadonlySet<string>): Finding[] {
  return problems.map((problem) => {
    const culprits = problem.revisions.filter(({ id }) => judged.has(id));
    const revision = culprits.at(-1) ?? problem.revisions.at(-1);
    return {
      rule: problem.rule,
      severity: culprits.length > 0 ? "error" : "note",
      revision: revision?.id,
      direction: undefined,
      file: revision?.location.file,
      line: revision?.location.line,
      column: revision?.location.column,
      object: undefined,
      what: problem.text,
      where: `revisions ${problem.revisions.map(({ id }) => id).join(", ")}`,
      seen: "The revision files.",
      ...advice[problem.rule],
      suppressed: false,
      suppression: undefined,
    };
  });
}

/** What the version table held and no revision explains: something ran that nobody judged. */
export function unexplainedFindings(
  texts: readonly string[],
  shadow: { readonly version: string },
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
    what: "The version table held something that no revision explains, so that a step of this history was not judged.",
    where: "fresh lane",
    seen: `PostgreSQL ${shadow.version}; ${text}.`,
    why: "A check that does not know what ran must not pass.",
    do: "Write revision and down_revision as constant strings, and let only the tool write to its version table.",
    suppressed: false,
    suppression: undefined,
  }));
}

/** Files that could not be read to their end. */
export function readFindings(problems: readonly ReadProblem[]): Finding[] {
  return problems.map((problem) => ({
    rule: "not-analysed",
    // Of a label the tool's own word is enough; without id or parent a revision is not known at all.
    severity:
      problem.kind === "not-a-constant" && !/^(?:down_)?revision /.test(problem.text) ? "note" : "error",
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
