import { gradeOf } from "../evidence/failure-grade";
import { type DeployFact, rowLevels } from "../model/deploy-lane";
import type { DataQuery } from "../model/rows";
import { dataQueries } from "../operations/data-query";
import type { DeployTry } from "./deploy-try";

export type FailedTries = readonly Pick<DeployTry, "level" | "failure" | "up" | "down" | "again">[];

/** Each failure once, with the tamest rows on which it still happened. */
export function failureFacts(tries: FailedTries): DeployFact[] {
  const facts = new Map<string, Extract<DeployFact, { kind: "failure" }>>();
  for (const { failure, level } of tries) {
    if (failure === undefined) continue;
    const key = `${failure.direction} ${failure.again} ${failure.revision}`;
    const { statement } = failure;
    const known = facts.get(key);
    const anyRow = statement !== undefined && gradeOf(statement) === "any row";
    const queries: readonly DataQuery[] = statement === undefined ? [] : dataQueries(statement.sql);
    facts.set(key, {
      kind: "failure",
      revision: failure.revision,
      failure: known?.failure ?? failure,
      level,
      anyRow: anyRow || rowLevels.indexOf(level) >= rowLevels.indexOf("single"),
      queries,
    });
  }
  return [...facts.values()];
}
