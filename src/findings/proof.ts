import { serverLacks } from "../databases/postgres/server-lacks";
import { identityOf, kindOf } from "../model/catalog";
import type { Difference, ProofFact, StepFailure } from "../model/evidence";
import type { Finding, Severity } from "../model/finding";
import type { Direction, Revision, SourceLocation } from "../model/revision";
import type { Graph } from "../revisions/graph";
import { missingExtension } from "../shadow/missing-extension";
import { inSql, residueAdvice } from "./advice";
import { describeChange, groupByObject, type ObjectDifference } from "./objects";
import { placeOf, placeOfFailure } from "./places";

/** What the findings of a proof are made with. */
export interface ProofContext {
  readonly graph: Graph;
  readonly judged: ReadonlySet<string>;
  /** E.g. "PostgreSQL 17.2, fresh lane". */
  readonly seenBy: string;
}

/** Facts of a proof as findings. What is wrong with a revision that is not under judgement is a note. */
export function proofFindings(facts: readonly ProofFact[], context: ProofContext): Finding[] {
  return facts.flatMap((fact) => {
    const revision = context.graph.get(fact.revision);
    return revision === undefined ? [] : findingsOf(fact, revision, context);
  });
}

function findingsOf(fact: ProofFact, revision: Revision, context: ProofContext): Finding[] {
  switch (fact.kind) {
    case "failure":
      return [failureFinding(fact.failure, revision, context)];
    case "residue":
      return residueFindings(fact.differences, fact.stopped, revision, context);
    case "second upgrade differs":
      return [differsFinding(fact.differences, revision, context)];
    case "transaction ended":
      return [transactionFinding(fact.direction, fact.sql, revision, context)];
    case "column order":
      return fact.differences.map((difference) => orderFinding(difference, revision, context));
    case "not proved":
      return [unprovedFinding(fact.direction, fact.reason, revision, context)];
  }
}

type Parts = Pick<Finding, "what" | "seen" | "why" | "do"> & { readonly object?: string };

/** A finding on a step of a revision; what is not under judgement is a note. */
export function stepFinding(
  rule: string,
  severity: Severity,
  revision: Revision,
  direction: Direction,
  place: SourceLocation,
  parts: Parts,
  context: ProofContext,
): Finding {
  return {
    rule,
    severity: context.judged.has(revision.id) ? severity : "note",
    revision: revision.id,
    direction,
    ...place,
    object: parts.object,
    what: parts.what,
    where: `revision ${revision.id}, ${direction}`,
    seen: parts.seen,
    why: parts.why,
    do: revision.sql === undefined ? parts.do : inSql(parts.do),
    suppressed: false,
    suppression: undefined,
  };
}

function failureFinding(failure: StepFailure, revision: Revision, context: ProofContext): Finding {
  const { direction, again, statement } = failure;
  const error = statement?.error;
  const extension = error === undefined ? undefined : missingExtension(error);
  const place = placeOfFailure(failure, revision);
  const seen = [
    `${context.seenBy}; ${error === undefined ? failure.summary : `${error.sqlstate}: ${error.message}`}`,
    error?.detail,
    statement === undefined ? undefined : `Statement: ${oneLine(statement.sql)}`,
    error?.sqlstate === undefined || error.message === failure.summary ? undefined : failure.summary,
  ]
    .filter((line) => line !== undefined && line !== "")
    .join("\n");
  if (extension !== undefined) {
    return stepFinding(
      "missing-extension",
      "error",
      revision,
      direction,
      place,
      {
        object: `extension ${extension}`,
        what: `The shadow database has no extension "${extension}", so that this revision cannot be proved.`,
        seen,
        why: "Nothing is known of this revision and of those that need it until it runs on a server like production's.",
        do: "Run the check with a service container of production's image (shadow-url), or install the extension's package on the machine.",
      },
      context,
    );
  }
  const name = again ? "second upgrade" : direction;
  return stepFinding(
    again ? "second-upgrade-fails" : `${direction}-fails`,
    "error",
    revision,
    direction,
    place,
    {
      what: `The ${name} of revision ${revision.id} fails${failure.timedOut ? " to end in time" : ""}.`,
      seen,
      why: failureReason(direction, again),
      do: advice(failure, revision),
    },
    context,
  );
}

function failureReason(direction: Direction, again: boolean): string {
  if (again) return "After a rollback in production this revision could not be applied again.";
  return direction === "upgrade"
    ? "A deploy would stop here, and every revision after this one would wait."
    : "A rollback in production would stop here, with the release that needs it still broken.";
}

function advice(failure: StepFailure, revision: Revision): string {
  const state = failure.statement?.error?.sqlstate;
  if (failure.timedOut)
    return "Look for a lock that the revision itself holds on another connection, or raise tool-timeout.";
  if (failure.swallowed)
    return "Let the error surface: it is swallowed, and the transaction stays aborted. What may fail belongs in `with op.get_bind().begin_nested():`.";
  if (failure.madeOnArrival !== undefined)
    return `Let nothing but revisions make tables: the ${kindOf(failure.madeOnArrival)} ${identityOf(failure.madeOnArrival)} was made as the tool started, before any revision, by the app or env.py (create_all()?).`;
  if (state === "25001" && revision.sql !== undefined)
    return "Put this statement alone into a file that begins with -- no-transaction: several in one file are one transaction to the server all the same.";
  if (state === "25001")
    return "Run this statement in `with op.get_context().autocommit_block():`, alone in its revision.";
  if (state === "25P02")
    return "Let the first error of this revision surface: an exception that is swallowed leaves the transaction aborted.";
  const lacks = failure.direction === "upgrade" && !failure.again ? serverLacks(state) : undefined;
  const more = lacks === undefined ? "" : ` Where production has what it names from elsewhere, ${lacks}.`;
  if (revision.sql !== undefined)
    return `Correct ${revision[failure.direction]?.file ?? revision.location.file}.${more}`;
  if (failure.direction === "downgrade") {
    return `Correct downgrade() of ${revision.id}; if it cannot be undone, say so: raise NotImplementedError("the reason").`;
  }
  return `Correct ${failure.direction}() of ${revision.id}.${more}`;
}

function residueFindings(
  differences: readonly Difference[],
  stopped: readonly StepFailure[],
  revision: Revision,
  context: ProofContext,
): Finding[] {
  const objects = groupByObject(differences);
  return objects.map((object, index) => {
    const consequences = stopped.filter(
      (failure) => objects.length === 1 || names(failure, object.key) || index === 0,
    );
    const kind = kindOf(object.key);
    const soft = (kind === "extension" || kind === "role") && consequences.length === 0;
    return stepFinding(
      "downgrade-leaves-residue",
      soft ? "warning" : "error",
      revision,
      "downgrade",
      placeOf(revision, "downgrade", object.key),
      {
        object: object.key,
        what: residueText(object),
        seen: [`${context.seenBy}${seenText(object)}`, ...consequences.map(consequenceText)].join("\n"),
        why: residueReason(object, consequences),
        do: residueAdvice(object, revision),
      },
      context,
    );
  });
}

function names(failure: StepFailure, key: string): boolean {
  const error = failure.statement?.error;
  const name = identityOf(key).split(".").at(-1)?.replaceAll('"', "") ?? "";
  return `${error?.message}\n${error?.detail}`.includes(name);
}

function title(key: string): string {
  const identity = identityOf(key);
  return `${kindOf(key)} ${identity.includes('"') ? identity : `"${identity}"`}`;
}

function residueText({ key, change }: ObjectDifference): string {
  if (change === "left")
    return `After upgrade and downgrade the ${title(key)} exists, which was not there before.`;
  if (change === "missing")
    return `After upgrade and downgrade the ${title(key)} is gone, which was there before.`;
  return `After upgrade and downgrade the ${title(key)} is not what it was before.`;
}

function seenText({ change, main, parts }: ObjectDifference): string {
  if (change === "changed") return `; ${describeChange(main)}.`;
  const definition = main.expected ?? main.found ?? "";
  const more =
    parts.length === 0
      ? ""
      : `, with ${parts.length} parts (${parts
          .slice(0, 4)
          .map(({ key }) => key)
          .join(", ")}${parts.length > 4 ? ", …" : ""})`;
  return `; ${change === "left" ? "found" : "expected"} ${oneLine(definition)}${more}.`;
}

function consequenceText(failure: StepFailure): string {
  const error = failure.statement?.error;
  const told =
    error === undefined
      ? failure.summary
      : `${error.sqlstate}: ${error.message}${error.detail === undefined ? "" : ` (${oneLine(error.detail)})`}`;
  const statement = failure.statement === undefined ? "" : ` at: ${oneLine(failure.statement.sql)}`;
  return `It stops the ${failure.again ? "second upgrade" : failure.direction} of revision ${failure.revision}: ${told}${statement}`;
}

function residueReason({ change }: ObjectDifference, consequences: readonly StepFailure[]): string {
  if (consequences.some((failure) => failure.direction === "downgrade")) {
    return "A rollback over more than this revision stops half way.";
  }
  if (consequences.length > 0)
    return "The next upgrade fails, so that a rollback in production cannot be rolled forward again.";
  return change === "left"
    ? "What stays behind collides with a later upgrade or is never removed."
    : "After a rollback the old release meets a schema that it was not written for.";
}

function differsFinding(
  differences: readonly Difference[],
  revision: Revision,
  context: ProofContext,
): Finding {
  const [first] = groupByObject(differences);
  const key = first?.key ?? "";
  return stepFinding(
    "second-upgrade-differs",
    "error",
    revision,
    "upgrade",
    placeOf(revision, "upgrade", key),
    {
      object: key,
      what: `The second upgrade leads to another ${title(key)} than the first.`,
      seen: `${context.seenBy}; ${differences
        .map((difference) => `${difference.key} ${describeChange(difference)}`.trim())
        .slice(0, 5)
        .join("; ")}.`,
      why: "After a rollback and a new deploy production would have another schema than the one that was tested.",
      do: "Make upgrade() do the same whatever it finds: no IF NOT EXISTS over what downgrade() leaves.",
    },
    context,
  );
}

function transactionFinding(
  direction: Direction,
  sql: string,
  revision: Revision,
  context: ProofContext,
): Finding {
  const call = revision[direction]?.calls?.find(({ literals }) => literals.includes(sql));
  return stepFinding(
    "revision-ends-transaction",
    "warning",
    revision,
    direction,
    call === undefined
      ? placeOf(revision, direction, undefined)
      : { file: revision.location.file, line: call.line, column: call.column },
    {
      what: `The ${direction} of revision ${revision.id} itself ends the transaction that the tool began.`,
      seen: `${context.seenBy}; ${oneLine(sql)}`,
      why: "When something after it fails, what ran before is not rolled back, and the version table does not say how far it came.",
      do: "Run what cannot be in a transaction in `with op.get_context().autocommit_block():`, alone in its revision.",
    },
    context,
  );
}

function orderFinding(difference: Difference, revision: Revision, context: ProofContext): Finding {
  const { key } = difference;
  return stepFinding(
    "column-order-differs",
    "note",
    revision,
    "downgrade",
    placeOf(revision, "downgrade", key),
    {
      object: key,
      what: `After upgrade and downgrade the columns of "${identityOf(key)}" are in another order.`,
      seen: `${context.seenBy}; before ${difference.expected ?? "none"}, after ${difference.found ?? "none"}.`,
      why: "PostgreSQL puts a column that is added again last; only SELECT * and INSERT without column names notice.",
      do: "Nothing, unless a program relies on the order.",
    },
    context,
  );
}

function unprovedFinding(
  direction: Direction,
  reason: string,
  revision: Revision,
  context: ProofContext,
): Finding {
  return stepFinding(
    "not-proved",
    "error",
    revision,
    direction,
    placeOf(revision, direction, undefined),
    {
      what: `The ${direction} of revision ${revision.id} was not proved.`,
      seen: `${context.seenBy}; ${reason}.`,
      why: "What was not seen may fail in production.",
      do: /^it needs \S+, whose upgrade fails$/.test(reason)
        ? "See the finding of the revision that it needs; this one is proved once that one can be applied."
        : "Remove what the reason names, and run the check again.",
    },
    context,
  );
}

const shownCharacters = 400;

/** A text without line breaks, cut. */
export function oneLine(text: string): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length > shownCharacters ? `${line.slice(0, shownCharacters)}…` : line;
}
