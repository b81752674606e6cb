import { isSameCode } from "../evidence/same-code";
import { groupByObject } from "../findings/objects";
import { type Catalog, type CatalogKind, identityOf, kindOf } from "../model/catalog";
import type { Difference } from "../model/evidence";
import { visible } from "../reports/visible";
import { comparable, type Definition } from "./comparable";

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

/** No statement fails because of these. */
const harmlessFields: ReadonlySet<string> = new Set(["comment", "indexComment", "options"]);

const parts: ReadonlySet<CatalogKind> = new Set([
  "column",
  "column order",
  "constraint",
  "trigger",
  "policy",
  "rule",
]);

const relations: ReadonlySet<CatalogKind> = new Set([
  "table",
  "partitioned table",
  "foreign table",
  "view",
  "materialized view",
  "composite type",
  "enum type",
  "domain",
  "range type",
  "base type",
]);

/**
 * Where a database's catalog is not the proved one, without what may differ between a shadow and production.
 * `touched`: catalog keys that pending revisions change; without it every drift counts as met. The same object, the
 * table it belongs to and all that has the table's name are met by them; comments, storage parameters and the order of
 * columns never are. In order of keys, what came or went with a table is told with the table.
 */
export function driftOf(
  proved: Catalog,
  found: Catalog,
  touched?: ReadonlySet<string>,
  { majors }: DriftOptions = {},
): DriftReport {
  const loose = majors !== undefined && majors.proved !== majors.found;
  const differences = differencesOf(proved, found, loose);
  const places = touched === undefined ? undefined : placesOf(touched, proved, found);
  const met: Drift[] = [];
  const beside: Drift[] = [];
  for (const { main, parts: with_ } of groupByObject(differences)) {
    const drift = driftFrom(main, with_.length, loose);
    const all = [main, ...with_];
    const hit =
      !isHarmless(main, loose) &&
      (places === undefined ||
        all.some(
          ({ key, expected, found: now }) => places.has(placeOf(key, expected ?? now)) || touched?.has(key),
        ));
    (hit ? met : beside).push(drift);
  }
  const byKey = (one: Drift, other: Drift) => (one.key < other.key ? -1 : one.key > other.key ? 1 : 0);
  return { met: met.sort(byKey), beside: beside.sort(byKey) };
}

function differencesOf(proved: Catalog, found: Catalog, loose: boolean): Difference[] {
  const differences: Difference[] = [];
  for (const key of new Set([...proved.keys(), ...found.keys()])) {
    const [expected, now] = [proved.get(key), found.get(key)];
    if (expected === now) continue;
    const [one, other] = [read(key, expected, loose), read(key, now, loose)];
    if (sameText(one, other)) continue;
    const bothAreThere = expected !== undefined && now !== undefined;
    if (bothAreThere && changedFields(key, expected, now, loose).length === 0) continue;
    // A column that came or went is told as such.
    if (kindOf(key) === "column order" && !isSameSet(one, other)) continue;
    differences.push({ key, expected, found: now, owner: "" });
  }
  return differences;
}

function read(key: string, definition: string | undefined, loose: boolean): Definition | undefined {
  return definition === undefined ? undefined : comparable(key, definition, loose);
}

function sameText(one: unknown, other: unknown): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function isSameSet(one: Definition | undefined, other: Definition | undefined): boolean {
  const sorted = (value: Definition | undefined) => {
    const names = value?.definition;
    return Array.isArray(names) ? [...names].sort() : undefined;
  };
  return sameText(sorted(one), sorted(other));
}

function isHarmless({ key, expected, found }: Difference, loose: boolean): boolean {
  if (kindOf(key) === "column order") return true;
  if (expected === undefined || found === undefined) return false;
  return changedFields(key, expected, found, loose).every(([name]) => harmlessFields.has(name));
}

function changedFields(
  key: string,
  expected: string,
  found: string,
  loose: boolean,
): [name: string, proved: unknown, found: unknown][] {
  const [one, other] = [read(key, expected, loose) ?? {}, read(key, found, loose) ?? {}];
  const alone = (definition: Definition, name: string) => JSON.stringify({ [name]: definition[name] });
  return [...new Set([...Object.keys(one), ...Object.keys(other)])]
    .filter((name) => !sameText(one[name], other[name]))
    .filter((name) => !isSameCode(key, alone(one, name), alone(other, name)))
    .map((name) => [name, one[name], other[name]]);
}

function driftFrom({ key, expected, found }: Difference, count: number, loose: boolean): Drift {
  const change = expected === undefined ? "added" : found === undefined ? "missing" : "changed";
  const text =
    expected === undefined
      ? `${key} is there and was not proved`
      : found === undefined
        ? `${key} is missing`
        : `${key}: ${changedFields(key, expected, found, loose)
            .map(([name, one, other]) => `${name} is ${shown(other)}, proved ${shown(one)}`)
            .join("; ")}`;
  const line = visible(text).replace(/\s+/g, " ");
  return { key, kind: kindOf(key), change, proved: expected, found, text: line, parts: count };
}

const shownCharacters = 160;

function shown(value: unknown): string {
  if (value === undefined || value === null) return "none";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return text.length > shownCharacters ? `${text.slice(0, shownCharacters)}…` : text;
}

function placesOf(touched: ReadonlySet<string>, proved: Catalog, found: Catalog): ReadonlySet<string> {
  return new Set([...touched].map((key) => placeOf(key, proved.get(key) ?? found.get(key))));
}

/** The name of the table or type that an object belongs to or is; relations and types share one name space. */
export function placeOf(key: string, definition: string | undefined): string {
  const kind = kindOf(key);
  const identity = identityOf(key);
  if (relations.has(kind)) return identity;
  if (parts.has(kind)) return qualifiedName(identity) ?? identity;
  if (kind === "index" || kind === "sequence") {
    const fields: { definition?: string; ownedBy?: string } =
      definition === undefined ? {} : JSON.parse(definition);
    const table =
      kind === "index" ? tableOfIndex(fields.definition ?? "") : qualifiedName(fields.ownedBy ?? "");
    return table ?? identity;
  }
  return key;
}

const name = '(?:"(?:[^"]|"")*"|[^\\s".]+)';
const firstTwo = new RegExp(`^${name}\\.${name}`);
const indexed = new RegExp(`^CREATE (?:UNIQUE )?INDEX ${name} ON (?:ONLY )?(${name}\\.${name}) `);

function qualifiedName(text: string): string | undefined {
  return firstTwo.exec(text)?.[0];
}

function tableOfIndex(definition: string): string | undefined {
  return indexed.exec(definition)?.[1];
}
