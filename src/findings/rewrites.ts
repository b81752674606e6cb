import type { Finding } from "../model/finding";
import type { Change, QualifiedName } from "../model/operation";
import type { Revision } from "../model/revision";
import type { Step, StepStatement } from "../model/verdict";
import { qualified } from "../operations/names";
import { readSql } from "../operations/read-sql";
import type { Graph } from "../revisions/graph";
import { banTableRewrite } from "../rules/ban-table-rewrite";
import { Born, maybeSame, surelySame } from "../rules/born";
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
      .map(({ what }) => qualified(/\btable "([^"]+)"/.exec(what)?.[1]?.split(".") ?? []));
    const born = new Born(surelySame);
    return step.statements.flatMap((statement) => {
      const changes = readSql(statement.sql).changes.map(({ change }) => change);
      const rewritten = (statement.rewrites ?? []).map((relation) => ({
        relation,
        table: writtenName(tableNamed(relation), changes),
      }));
      // Under the old name and under the new one, where the statement also gives it another.
      const old = rewritten.filter(({ table }) => !born.hasTable(table));
      for (const change of changes) born.learn(change);
      // They write a relation anew by their nature, and other rules speak of them.
      if (changes.some(({ kind }) => kind === "refreshView" || kind === "dataChange")) return [];
      return old
        .filter(({ table }) => !born.hasTable(table) && !told.some((known) => surelySame(known, table)))
        .map(({ relation }) => rewriteFinding(relation, statement, revision, seenBy));
    });
  });
}

/** `boards."Cards"` → boards, Cards. */
function tableNamed(relation: string): QualifiedName {
  const parts = [...relation.matchAll(/"((?:[^"]|"")+)"|([^".]+)/g)];
  return qualified(parts.map(([, quoted, plain = ""]) => quoted?.replaceAll('""', '"') ?? plain));
}

/** As the statement itself names it: what the server shows depends on search_path. */
function writtenName(table: QualifiedName, changes: readonly Change[]): QualifiedName {
  const named = changes.flatMap((change) => ("table" in change && change.table ? [change.table] : []));
  return named.find((one) => maybeSame(one, table)) ?? table;
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
