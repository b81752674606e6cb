import { type AddedColumn, gradeOf } from "../evidence/row-grade";
import { type DeployFact, rowLevels } from "../model/deploy-lane";
import type { StepFailure } from "../model/evidence";
import type { RecordedStatement } from "../model/statement";
import { dataQueries } from "../operations/data-query";
import { readSql } from "../operations/read-sql";
import type { DeployTry } from "./deploy-try";

export type FailedTries = readonly Pick<DeployTry, "level" | "failure" | "up" | "down" | "again">[];

type FailureFact = Extract<DeployFact, { kind: "failure" }>;

/** Each failure once, with the tamest rows on which it still happened. */
export function failureFacts(tries: FailedTries): FailureFact[] {
  const facts = new Map<string, FailureFact>();
  for (const one of tries) {
    const { failure, level } = one;
    if (failure === undefined) continue;
    const key = JSON.stringify([failure.direction, failure.again, failure.revision]);
    const known = facts.get(key);
    const isTame = rowLevels.indexOf(level) >= rowLevels.indexOf("single");
    facts.set(key, {
      kind: "failure",
      revision: failure.revision,
      failure: known?.failure ?? failure,
      level,
      anyRow: known?.anyRow === true || isTame || failsOnAnyRow(one, failure),
      ...(known === undefined ? questionsOf(failure) : { words: known.words, queries: known.queries }),
    });
  }
  return [...facts.values()];
}

/** What the server said is enough to know it: nothing on the way fills the column that it adds, in this revision or one before. */
function failsOnAnyRow({ up, again, down }: FailedTries[number], failure: StepFailure): boolean {
  const error = failure.statement?.error;
  if (error === undefined) return false;
  const leg = failure.again ? again : failure.direction === "upgrade" ? up : down;
  const ran = leg?.steps.flatMap(({ statements }) => statements) ?? [];
  return gradeOf(error, addedColumns([...ran, ...(leg?.rest ?? [])])) === "any rows";
}

function addedColumns(statements: readonly RecordedStatement[]): AddedColumn[] {
  const changes = statements.flatMap(({ sql }) => readSql(sql).changes.map(({ change }) => change));
  const filled = new Set(
    changes.flatMap((change) =>
      change.kind === "dataChange" && change.verb !== "delete" ? (change.table?.name ?? []) : [],
    ),
  );
  return changes.flatMap((change) =>
    change.kind === "addColumn" && !filled.has(change.table.name)
      ? { table: change.table.name, column: change.column.name }
      : [],
  );
}

function questionsOf({ statement, direction, again }: StepFailure): Pick<FailureFact, "words" | "queries"> {
  if (statement === undefined) return { words: undefined, queries: [] };
  const all = dataQueries(statement.sql);
  const own = all.filter(({ sqlstate }) => sqlstate === statement.error?.sqlstate);
  const queries = own.length > 0 ? own : all;
  // Production is at the base's head: what follows the upgrade asks for what is not there yet.
  return { words: queries[0]?.words, queries: direction === "upgrade" && !again ? queries : [] };
}
