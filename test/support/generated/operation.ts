/**
 * What is seen of a defect: "residue": the downgrade ends with another schema than the upgrade began with; "fails": the revision's own downgrade
 * fails; "blocks": residue that makes an earlier revision's downgrade fail.
 */
export const effects = ["residue", "fails", "blocks"] as const;
export type Effect = (typeof effects)[number];

/** Another downgrade for an operation: with a part removed, or altered. */
export interface Defect {
  readonly kind: "removed" | "altered";
  readonly what: string;
  /** As a catalog key, e.g. `index public.ix_t1_code`. */
  readonly object: string;
  readonly effect: Effect;
  readonly downgrade: readonly string[];
  /** Two defects with the same word here would have another effect together than each alone. */
  readonly notWith?: string;
}

/** One step of an upgrade, its exact inverse, and the ways in which the inverse can go wrong. */
export interface GeneratedOperation {
  readonly upgrade: readonly string[];
  readonly downgrade: readonly string[];
  readonly defects: readonly Defect[];
}

export function removed(what: string, object: string): Defect {
  return { kind: "removed", what, object, effect: "residue", downgrade: [] };
}

export function changed(what: string, object: string, downgrade: readonly string[]): Defect {
  return { kind: "altered", what, object, effect: "residue", downgrade };
}

export function misnamed(what: string, object: string, downgrade: readonly string[]): Defect {
  return { kind: "altered", what, object, effect: "fails", downgrade };
}
