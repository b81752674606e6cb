import type { Catalog, CatalogKind } from "../model/catalog";

/** An object that is not as it was proved to be at this revision. */
export interface Drift {
  /** The catalog's key, e.g. `column boards.cards.title`. */
  readonly key: string;
  readonly kind: CatalogKind;
  readonly change: "missing" | "added" | "changed";
  /** Definitions as in the catalog, whole. */
  readonly proved: string | undefined;
  readonly found: string | undefined;
  /** One line with the name, e.g. `column boards.cards.title: notNull is none, proved true`. */
  readonly text: string;
  /** How many parts (columns, constraints, indexes) came or went with it. */
  readonly parts: number;
}

export interface DriftReport {
  /** Pending revisions would meet it. */
  readonly met: readonly Drift[];
  readonly beside: readonly Drift[];
}

export interface DriftOptions {
  /** Major versions of the two servers; where they differ, texts that the server prints are compared loosely. */
  readonly majors?: { readonly proved: number; readonly found: number };
}

/**
 * Where a database's catalog is not the proved one, without what may differ between a shadow and production.
 * `touched`: catalog keys that pending revisions change; without it every drift counts as met.
 */
export function driftOf(
  _proved: Catalog,
  _found: Catalog,
  _touched?: ReadonlySet<string>,
  _options: DriftOptions = {},
): DriftReport {
  throw new Error("not written yet");
}
