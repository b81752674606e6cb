import { type AllErrorParts, apart } from "../errors";
import type { CheckReport } from "../model/verdict";

/** Grows when a field changes its meaning or goes; a new field does not change it. */
export const jsonVersion = 1;

/** One object on standard output; docs/json-report.md describes it. A field that does not apply is null. */
export function jsonReport(report: CheckReport): string {
  return printed(report);
}

/** What stands on standard output where nothing could be judged (exit 2): the message's parts. */
export function jsonError(parts: AllErrorParts): string {
  const [error, ...others] = apart(parts).map(({ what, where, seen, why, do: advice }) => ({
    what,
    where,
    seen,
    why,
    do: advice,
  }));
  return printed({ version: jsonVersion, error: { ...error, others } });
}

/** One object as every command prints it; a field that does not apply is null. */
export function printed(value: object): string {
  return `${JSON.stringify(value, (_, field: unknown) => (field === undefined ? null : field), 2)}\n`;
}
