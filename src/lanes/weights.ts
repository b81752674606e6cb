import { kindOf } from "../model/catalog";
import type { Difference } from "../model/evidence";

/** A column's place says nothing to most programs: a soft difference. */
export function isOrder(change: { readonly key: string }): boolean {
  return kindOf(change.key) === "column order";
}

export function isHard(change: { readonly key: string }): boolean {
  return !isOrder(change);
}

/** An extension or a role that stays is common practice: a warning, unless something trips over it. */
export function isError(difference: Difference): boolean {
  const kind = kindOf(difference.key);
  return kind !== "extension" && kind !== "role";
}
