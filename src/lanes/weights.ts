import { kindOf } from "../model/catalog";
import type { Difference } from "../model/evidence";

/** A column's place says nothing to most programs: a soft difference. */
export function isOrder(change: { readonly key: string }): boolean {
  return kindOf(change.key) === "column order";
}

export function isHard(change: { readonly key: string }): boolean {
  return !isOrder(change);
}

/**
 * A constraint that stays validated, which was NOT VALID: it holds for new rows as before, no row is against it, and
 * PostgreSQL has no command that takes it back.
 */
export function isOnlyValidated({ key, expected, found }: Difference): boolean {
  if (kindOf(key) !== "constraint" || expected === undefined || found === undefined) return false;
  const before = JSON.parse(expected) as { readonly definition?: string };
  const definition = before.definition?.replace(/ NOT VALID$/, "");
  return definition !== before.definition && JSON.stringify({ ...before, definition }) === normal(found);
}

function normal(json: string): string {
  return JSON.stringify(JSON.parse(json));
}

/** An extension or a role that stays is common practice: a warning, unless something trips over it. */
export function isError(difference: Difference): boolean {
  const kind = kindOf(difference.key);
  return kind !== "extension" && kind !== "role" && !isOnlyValidated(difference);
}
