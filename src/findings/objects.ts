import { type CatalogKind, identityOf, kindOf } from "../model/catalog";
import type { Difference } from "../model/evidence";

/** Differences of one object and its parts: a table that was left behind is one finding, not one a column. */
export interface ObjectDifference {
  readonly key: string;
  readonly change: "left" | "missing" | "changed";
  readonly main: Difference;
  readonly parts: readonly Difference[];
}

const containers: ReadonlySet<CatalogKind> = new Set([
  "table",
  "partitioned table",
  "view",
  "materialized view",
  "foreign table",
  "composite type",
  "enum type",
  "domain",
  "range type",
  "sequence",
]);

/** Groups parts (columns, constraints, indexes, triggers …) under an object that came or went as a whole. */
export function groupByObject(differences: readonly Difference[]): ObjectDifference[] {
  const candidates = differences.filter(
    (difference) => containers.has(kindOf(difference.key)) && changeOf(difference) !== "changed",
  );
  // A serial column's sequence comes and goes with its table.
  const wholes = candidates.filter(
    (one) => !candidates.some((other) => other !== one && belongsTo(one, other)),
  );
  const taken = new Map<Difference, Difference[]>(wholes.map((whole) => [whole, []]));
  const alone: Difference[] = [];
  for (const difference of differences) {
    if (taken.has(difference)) continue;
    const whole = wholes.find((candidate) => belongsTo(difference, candidate));
    if (whole === undefined) alone.push(difference);
    else taken.get(whole)?.push(difference);
  }
  return [...taken, ...alone.map((difference): [Difference, Difference[]] => [difference, []])].map(
    ([main, parts]) => ({ key: main.key, change: changeOf(main), main, parts }),
  );
}

function changeOf({ expected, found }: Difference): ObjectDifference["change"] {
  if (expected === undefined) return "left";
  return found === undefined ? "missing" : "changed";
}

function belongsTo(part: Difference, whole: Difference): boolean {
  if (changeOf(part) !== changeOf(whole)) return false;
  const owner = identityOf(whole.key);
  if (identityOf(part.key).startsWith(`${owner}.`)) return true;
  // An index or a sequence has a name beside its table's; its definition names the table.
  const definition = part.expected ?? part.found ?? "";
  const kind = kindOf(part.key);
  if (kind === "index")
    return (
      definition.includes(` ON ${jsonText(owner)} `) || definition.includes(` ON ONLY ${jsonText(owner)} `)
    );
  if (kind === "sequence") return definition.includes(jsonText(`${owner}.`));
  return false;
}

/** As it stands inside a JSON string. */
function jsonText(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

/** Before and after of a definition, field by field where both are objects, cut to what can be read. */
export function describeChange({ expected, found }: Difference): string {
  const before = parse(expected);
  const after = parse(found);
  if (before === undefined || after === undefined) return "";
  const fields = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]),
  );
  return fields
    .map((field) => {
      const [was, is] = whereTheyDiffer(textOf(before[field]), textOf(after[field]));
      return `${field}: ${was} before the upgrade, ${is} after the downgrade`;
    })
    .join("; ");
}

function parse(definition: string | undefined): Record<string, unknown> | undefined {
  if (definition === undefined) return undefined;
  const value: unknown = JSON.parse(definition);
  return typeof value === "object" && value !== null ? { ...value } : { definition: value };
}

const shownCharacters = 300;
/** What two long texts have in common before their first difference is shown from here. */
const leadCharacters = 60;

function textOf(value: unknown): string {
  if (value === undefined || value === null) return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Both texts, cut; long ones begin at the line in which they first differ, or near to it. */
function whereTheyDiffer(one: string, other: string): [string, string] {
  let same = 0;
  while (same < one.length && one[same] === other[same]) same++;
  const isCut = Math.max(one.length, other.length) > shownCharacters && same > leadCharacters;
  const line = one.lastIndexOf("\n", same - 1) + 1;
  const from = isCut ? Math.max(line, same - leadCharacters) : 0;
  const cut = (text: string): string => {
    const shown = text.slice(from, from + shownCharacters);
    return `${from > 0 ? "…" : ""}${shown}${from + shownCharacters < text.length ? "…" : ""}`;
  };
  return [cut(one), cut(other)];
}
