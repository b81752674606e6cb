import type { InvalidIndex, UnvalidatedConstraint } from "../../databases/postgres/leftovers";
import { oneLine } from "../describe-session";
import type { PreflightProblem } from "./problem";

const mostNamed = 10;

/** What earlier migrations left half done; by itself it stops nothing. */
export function leftoverWarnings(
  indexes: readonly InvalidIndex[],
  constraints: readonly UnvalidatedConstraint[],
  where: string,
): PreflightProblem[] {
  const warnings: PreflightProblem[] = [];
  const [index] = indexes;
  if (index !== undefined) {
    warnings.push({
      check: "invalid-index",
      parts: {
        what: `${indexes.length === 1 ? "An index is" : `${indexes.length} indexes are`} invalid.`,
        where,
        seen: list(indexes.map(({ name, table }) => `${name} on ${table}`)),
        why: "A build with CONCURRENTLY was ended: no query uses it, every write keeps it up, and a revision that creates it again fails (42P07).",
        do: `DROP INDEX CONCURRENTLY ${index.name}; or REINDEX INDEX CONCURRENTLY ${index.name};`,
      },
    });
  }
  const [constraint] = constraints;
  if (constraint !== undefined) {
    warnings.push({
      check: "unvalidated-constraint",
      parts: {
        what: `${constraints.length === 1 ? "A constraint was" : `${constraints.length} constraints were`} added NOT VALID and never validated.`,
        where,
        seen: list(constraints.map(({ name, table, kind }) => `${name} on ${table} (${kind})`)),
        why: "Rows from before it may break it, and then a revision that validates it fails.",
        do: `ALTER TABLE ${constraint.table} VALIDATE CONSTRAINT ${constraint.name};`,
      },
    });
  }
  return warnings;
}

function list(lines: readonly string[]): string {
  const more = lines.length > mostNamed ? [`and ${lines.length - mostNamed} more`] : [];
  return [...lines.slice(0, mostNamed).map(oneLine), ...more].join("\n");
}
