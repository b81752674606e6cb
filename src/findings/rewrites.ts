import type { Finding } from "../model/finding";
import type { Revision } from "../model/revision";
import type { Step, StepStatement } from "../model/verdict";
import { readSql } from "../operations/read-sql";
import type { Graph } from "../revisions/graph";
import { banTableRewrite } from "../rules/ban-table-rewrite";
import { placeOf } from "./places";

/**
 * Tables that the replay saw written anew and that no text told of: types of which the file does not say what they were,
 * SQL that is put together when it runs. Tables that the revision itself made are left out.
 */
export function rewriteFindings(
  steps: readonly Step[],
  known: readonly Finding[],
  { graph, seenBy }: { readonly graph: Graph; readonly seenBy: string },
): Finding[] {
  return steps.flatMap((step) => {
    const revision = graph.get(step.revision);
    if (revision === undefined || !step.judged || step.direction !== "upgrade") return [];
    const told = known
      .filter(({ rule, revision: id }) => rule === "ban-table-rewrite" && id === step.revision)
      .map(({ what }) => what);
    const born = new Set<string>();
    return step.statements.flatMap((statement) => {
      const changes = readSql(statement.sql).changes.map(({ change }) => change);
      for (const change of changes) if (change.kind === "createTable") born.add(change.table.name);
      // They write a relation anew by their nature, and other rules speak of them.
      if (changes.some(({ kind }) => kind === "refreshView" || kind === "dataChange")) return [];
      return (statement.rewrites ?? [])
        .filter((relation) => !born.has(bareName(relation)))
        .filter((relation) => !told.some((what) => what.includes(`${bareName(relation)}"`)))
        .map((relation) => rewriteFinding(relation, statement, revision, seenBy));
    });
  });
}

/** `boards."Cards"` → Cards. */
function bareName(relation: string): string {
  const last = /(?:"((?:[^"]|"")+)"|([^."]+))$/.exec(relation);
  return last?.[1]?.replaceAll('""', '"') ?? last?.[2] ?? relation;
}

const shownCharacters = 300;

function rewriteFinding(
  relation: string,
  { sql }: StepStatement,
  revision: Revision,
  seenBy: string,
): Finding {
  const call = revision.upgrade?.calls?.find(
    ({ literals }) => literals.length > 0 && literals.every((literal) => sql.includes(literal.trim())),
  );
  const { file, line, column } = placeOf(revision, "upgrade", `table ${relation}`);
  const text = sql.replace(/\s+/g, " ").trim();
  return {
    rule: "ban-table-rewrite",
    severity: banTableRewrite.severity,
    revision: revision.id,
    direction: "upgrade",
    file,
    line: call?.line ?? line,
    column: call?.column ?? column,
    object: `table ${relation}`,
    what: `The table "${relation}" is written anew.`,
    where: `revision ${revision.id}, upgrade`,
    seen: `${seenBy}; ${text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text}`,
    why: banTableRewrite.why,
    do: banTableRewrite.do,
    suppressed: false,
    suppression: undefined,
  };
}
