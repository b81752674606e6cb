import type { DeployFact, OnProduction, RowLevel } from "../model/deploy-lane";
import type { Finding, Severity } from "../model/finding";
import type { Direction, Revision, SourceLocation } from "../model/revision";
import type { DataQuery, RowLoss } from "../model/rows";
import { type KnownSteps, keyOfStep } from "./known-steps";
import { placeOf, placeOfFailure } from "./places";
import { oneLine, type ProofContext, proofFindings, stepFinding } from "./proof";

/** Facts of the deploy lane as findings; what the fresh lane has told of the same step is not told again. */
export function deployedFindings(
  facts: readonly DeployFact[],
  context: ProofContext,
  known: KnownSteps,
): Finding[] {
  return facts.flatMap((fact) => {
    const revision = context.graph.get(fact.revision);
    return revision === undefined ? [] : findingsOf(fact, revision, context, known);
  });
}

function findingsOf(
  fact: DeployFact,
  revision: Revision,
  context: ProofContext,
  known: KnownSteps,
): Finding[] {
  switch (fact.kind) {
    case "failure":
      return known.failed.has(keyOfStep(fact.failure)) || isOfResidue(fact, known)
        ? []
        : [failureFinding(fact, revision, context)];
    case "rows lost":
      return [lossFinding(fact, revision, context)];
    case "residue":
      return known.residue.has(fact.revision) ? [] : proofFindings([{ ...fact, stopped: [] }], context);
    case "second upgrade differs":
      return known.residue.has(fact.revision) ? [] : proofFindings([fact], context);
  }
}

/** Its second upgrade finds what its downgrade was seen to leave: on an empty database an older downgrade may have taken it along. */
function isOfResidue({ failure }: FailureFact, known: KnownSteps): boolean {
  const isThereAlready = /^42(?:P07|P06|710|723|701)$/.test(failure.statement?.error?.sqlstate ?? "");
  return failure.again && isThereAlready && known.residue.has(failure.revision);
}

type RowRule =
  | "fails-on-deployed"
  | "fails-on-rows"
  | "may-fail-on-rows"
  | "downgrade-loses-data"
  | "upgrade-loses-data";

type FailureFact = Extract<DeployFact, { kind: "failure" }>;

function failureFinding(fact: FailureFact, revision: Revision, context: ProofContext): Finding {
  const { failure, level } = fact;
  const { direction, statement } = failure;
  const error = statement?.error;
  const rule: RowRule = isOfHistory(fact)
    ? "fails-on-deployed"
    : fact.anyRow
      ? "fails-on-rows"
      : "may-fail-on-rows";
  const name = failure.again ? "second upgrade" : direction;
  const [query] = level === "landed" ? [] : fact.queries;
  const seen = [
    `${context.seenBy}, ${rowsText(level)}; ${error === undefined ? failure.summary : `${error.sqlstate}: ${error.message}`}`,
    error?.detail,
    fact.row === undefined ? undefined : `Row: ${oneLine(fact.row)}`,
    statement === undefined ? undefined : `Statement: ${oneLine(statement.sql)}`,
    query === undefined ? undefined : `Query: ${query.sql}`,
    fact.passesOnSeed
      ? "On the rows of seed it passes: a note, as long as they are what production has."
      : undefined,
    fact.onProduction === undefined ? undefined : answerText(fact.onProduction),
  ];
  return stepFinding(
    rule,
    severityOf(rule, fact),
    revision,
    direction,
    placeOfFailure(failure, revision),
    {
      what: whatFails(fact, name, revision),
      seen: seen.filter((line) => line !== undefined && line !== "").join("\n"),
      why: whyItMatters(fact),
      do:
        fact.onProduction?.answer === "safe"
          ? "Nothing, as long as no such rows come before the deploy."
          : whatToDo(fact, query),
    },
    context,
  );
}

/** What a loosened column lets in later stops every way back to the tighter one: worth knowing, and nobody's mistake. */
function severityOf(rule: RowRule, { onProduction, failure, passesOnSeed }: FailureFact): Severity {
  if (onProduction?.answer === "safe") return "note";
  if (rule === "may-fail-on-rows" && passesOnSeed && onProduction?.answer !== "fails") return "note";
  if (rule === "may-fail-on-rows" && failure.direction === "downgrade") return "note";
  return rule === "may-fail-on-rows" && onProduction?.answer !== "fails" ? "warning" : "error";
}

function answerText({ answer, where, rows, reason }: OnProduction): string {
  if (answer === "safe") return `Asked at ${where}: no such rows.`;
  if (answer === "unknown") return `Asked at ${where}: ${reason ?? "no answer"}.`;
  return `Asked at ${where}: ${rows === undefined ? "it has such rows" : `${rows}${rows >= 20 ? " or more" : ""} such ${rows === 1 ? "row" : "rows"}`}.`;
}

/** Without rows of ours it is the schema that stops it, or rows of migrations and of the seed (SQLSTATE classes 22 and 23). */
function isOfHistory({ level, failure }: FailureFact): boolean {
  return level === "landed" && !/^2[23]/.test(failure.statement?.error?.sqlstate ?? "");
}

function whatFails(fact: FailureFact, name: string, { id }: Revision): string {
  const { level, anyRow, words } = fact;
  const step = `The ${name} of revision ${id} fails`;
  if (level === "landed" && !isOfHistory(fact))
    return `${step} on the rows that migrations or the seed put there.`;
  if (level === "landed") return `${step} on a database that was built by the base's revisions.`;
  if (anyRow) return `${step} on any table that has rows.`;
  return words === undefined ? `${step} on some rows.` : `${step} on some rows: it ${words}.`;
}

function whyItMatters(fact: FailureFact): string {
  const { anyRow, failure, onProduction } = fact;
  if (onProduction?.answer === "safe")
    return "It was asked where the rows are: the step is safe there by now.";
  if (onProduction?.answer === "fails") return "It was asked where the rows are: a deploy would stop here.";
  const where = failure.direction === "upgrade" && !failure.again ? "A deploy" : "A rollback";
  if (isOfHistory(fact))
    return `Production was built by what had landed, not by what the files say now. ${where} would stop here.`;
  return anyRow
    ? `${where} would stop here, and no check on an empty database sees it.`
    : "Whether production has such rows is not known here.";
}

function whatToDo(fact: FailureFact, query: DataQuery | undefined): string {
  const { anyRow, failure } = fact;
  if (fact.onProduction?.answer === "fails")
    return "Mend those rows before this statement, in the revision or by hand.";
  if (isOfHistory(fact)) {
    return "Restore the landed revisions (see revision-edited and revision-deleted), and write what they must lead to as a new one.";
  }
  const state = failure.statement?.error?.sqlstate;
  if (anyRow && state === "23502" && failure.direction === "upgrade")
    return "Add the column with a server_default or as nullable, fill it, and set NOT NULL in a later step.";
  if (anyRow)
    return `Let ${failure.direction}() take rows: move, fill or delete what is in the way before this statement.`;
  if (query === undefined)
    return "Mend the rows before this statement, or make sure that production has none such.";
  return `Run the query above on production (migration-gate check --verify-on-env NAME does): no rows means safe. Else mend them before this statement.`;
}

/** What the tables held. */
function rowsText(level: RowLevel): string {
  switch (level) {
    case "hostile":
      return "tables filled with NULL, duplicates and extremes wherever allowed";
    case "plain":
      return "tables filled with plain rows";
    case "single":
      return "one plain row in every table";
    case "landed":
      return "without other rows than those of migrations and of the seed";
  }
}

type LossFact = Extract<DeployFact, { kind: "rows lost" }>;

function lossFinding(
  { loss, direction, said }: LossFact,
  revision: Revision,
  context: ProofContext,
): Finding {
  const down = direction === "downgrade";
  const rule: RowRule = down ? "downgrade-loses-data" : "upgrade-loses-data";
  const severity = loss.onlyNulls || (!down && said) ? "note" : down ? "error" : "warning";
  const counts =
    loss.after < loss.before
      ? `before ${loss.before}, after ${loss.after}`
      : `${loss.lost} of ${loss.before}`;
  const shown =
    loss.examples.length === 0 ? "" : ` Lost, for instance: ${loss.examples.map(oneLine).join(", ")}.`;
  return stepFinding(
    rule,
    severity,
    revision,
    direction,
    placeOfLoss(revision, direction, loss),
    {
      object: loss.column === undefined ? `table ${loss.table}` : `column ${loss.table}.${loss.column}`,
      what: lossText(loss, down ? "After upgrade and downgrade" : "After the upgrade"),
      seen: `${context.seenBy}; ${counts}.${shown}`,
      why: down
        ? "A rollback in production would lose them for good."
        : `${revision.downgrade === undefined ? "Nothing brings" : "Its downgrade does not bring"} them back: after this deploy they are gone for good.`,
      do: down
        ? "Keep what the downgrade removes (in another column, in an archive table), or say why it may go: # migration-gate: allow downgrade-loses-data because …"
        : "Copy what must stay before it goes, or say why it may go: # migration-gate: allow upgrade-loses-data because …",
    },
    context,
  );
}

/** The call of that direction that names it, or its only one, which did it by a cascade; else where the function starts. */
function placeOfLoss(revision: Revision, direction: Direction, { table, column }: RowLoss): SourceLocation {
  const other = direction === "upgrade" ? "downgrade" : "upgrade";
  const key = column === undefined ? `table ${table}` : `column ${table}.${column}`;
  const place = placeOf({ ...revision, [other]: undefined }, direction, key);
  const fn = revision[direction];
  const [only, ...more] = fn?.calls ?? [];
  const isNamed = fn === undefined || place.line !== fn.line || place.column !== fn.column;
  if (isNamed || only === undefined || more.length > 0) return place;
  return { file: fn.file, line: only.line, column: only.column };
}

function lossText(loss: RowLoss, when: string): string {
  const { table, column, lost, before } = loss;
  if (loss.onlyNulls) return `${when} NULL in ${table}.${column} is a value that nobody wrote.`;
  switch (loss.kind) {
    case "table gone":
      return `${when} the table ${table} is gone, with ${count(lost, "row")}.`;
    case "column gone":
      return `${when} the column ${table}.${column} is gone, with ${count(lost, "value")}.`;
    case "rows gone":
      return `${when} ${lost} of ${count(before, "row")} of ${table} are gone.`;
    case "values changed":
      return `${when} ${lost} of ${count(before, "value")} of ${table}${column === undefined ? "" : `.${column}`} are not what they were.`;
    case "values moved":
      return `${when} values of ${table}${column === undefined ? "" : `.${column}`} are in other rows than before.`;
  }
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? "" : "s"}`;
}
