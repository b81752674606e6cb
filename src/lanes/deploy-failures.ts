import { type AddedColumn, gradeOf } from "../evidence/row-grade";
import { type DeployFact, rowLevels } from "../model/deploy-lane";
import type { StepFailure } from "../model/evidence";
import type { DataQuery } from "../model/rows";
import type { RecordedStatement } from "../model/statement";
import { dataQueries, type KnownObjects } from "../operations/data-query";
import { readSql } from "../operations/read-sql";
import type { DeployTry } from "./deploy-try";
import { namesTable } from "./says-so";

export type FailedTries = readonly Pick<
  DeployTry,
  "level" | "failure" | "failingRow" | "up" | "down" | "again"
>[];

type FailureFact = Extract<DeployFact, { kind: "failure" }>;

/** Each failure once, with the tamest rows on which it still happened. */
export function failureFacts(
  tries: FailedTries,
  known: KnownObjects = {},
  sown: readonly string[] = [],
): FailureFact[] {
  const facts = new Map<string, FailureFact>();
  for (const one of tries) {
    const { failure, level } = one;
    if (failure === undefined) continue;
    const key = JSON.stringify([failure.direction, failure.again, failure.revision]);
    const earlier = facts.get(key);
    const own = questionsOf(one, failure, known);
    // Production is at the base's head: what follows the upgrade asks for what is not there yet.
    const asked = failure.direction === "upgrade" && !failure.again ? own.queries : [];
    const { words, queries } = earlier ?? { words: own.words, queries: asked };
    const isTame =
      rowLevels.indexOf(level) >= rowLevels.indexOf("single") &&
      !(level === "single" && isForProduction(one, failure, own.queries));
    facts.set(key, {
      kind: "failure",
      revision: failure.revision,
      failure: earlier?.failure ?? failure,
      level,
      // A tamer try followed in which it did not stop: with the project's own rows, which all of them have.
      passesOnSeed:
        level === "hostile" &&
        one !== tries.at(-1) &&
        sown.some((table) => namesTable(failure.statement?.sql ?? "", table)),
      anyRow: earlier?.anyRow === true || isTame || failsOnAnyRow(one, failure),
      row: earlier?.row ?? (failure.direction === "upgrade" && !failure.again ? one.failingRow : undefined),
      words,
      queries,
    });
  }
  return [...facts.values()];
}

/** What the server said is enough to know it: nothing on the way fills the column that it adds, in this revision or one before. */
function failsOnAnyRow(one: FailedTries[number], failure: StepFailure): boolean {
  const error = failure.statement?.error;
  if (error === undefined) return false;
  return gradeOf(error, addedColumns(statementsOf(one, failure))) === "any rows";
}

/**
 * A key of columns that were there: whether rows have their parents, no row of ours can tell, and the query does. What the
 * change puts into the table itself is its own doing.
 */
function isForProduction(
  one: FailedTries[number],
  failure: StepFailure,
  queries: readonly DataQuery[],
): boolean {
  const { sqlstate, table } = failure.statement?.error ?? {};
  if (sqlstate !== "23503" || !queries.some((query) => query.sqlstate === sqlstate)) return false;
  return statementsOf(one, failure).every(({ sql }) =>
    readSql(sql).changes.every(
      ({ change }) =>
        (change.kind !== "addColumn" && change.kind !== "dataChange") || change.table?.name !== table,
    ),
  );
}

/** What had run on that way when it failed. */
function statementsOf(one: FailedTries[number], failure: StepFailure): readonly RecordedStatement[] {
  const leg = legOf(one, failure);
  const ran = leg?.steps.flatMap(({ statements }) => statements) ?? [];
  return [...ran, ...(leg?.rest ?? [])];
}

function legOf(
  { up, down, again: second }: FailedTries[number],
  { direction, again }: StepFailure,
): DeployTry["down"] {
  return again ? second : direction === "upgrade" ? up : down;
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

function questionsOf(
  one: FailedTries[number],
  failure: StepFailure,
  known: KnownObjects,
): Pick<FailureFact, "words" | "queries"> {
  const { statement } = failure;
  if (statement === undefined) return { words: undefined, queries: [] };
  const all = dataQueries(statement.sql, known);
  const isOwn = ({ sqlstate }: DataQuery): boolean => sqlstate === statement.error?.sqlstate;
  const inContext = afterTheOthers(legOf(one, failure), statement, known);
  const own = [all, inContext].map((queries) => queries.filter(isOwn)).find(({ length }) => length > 0);
  const queries = own ?? all;
  return { words: queries[0]?.words, queries };
}

/** Larger ones are data. */
const largestDefinition = 16 * 1024;

/** What is asked for a constraint that an earlier statement of the change added as NOT VALID. */
function afterTheOthers(
  leg: DeployTry["down"],
  statement: RecordedStatement,
  known: KnownObjects,
): readonly DataQuery[] {
  if (!/\bvalidate\b/i.test(statement.sql)) return [];
  const before = (leg?.recording.statements ?? []).filter(
    ({ sequence, sql }) =>
      sequence < statement.sequence && sql.length <= largestDefinition && /\bnot\s+valid\b/i.test(sql),
  );
  const earlier = before.map(({ sql }) => `${sql};\n`).join("");
  return dataQueries(`${earlier}${statement.sql}`, known).slice(dataQueries(earlier, known).length);
}
