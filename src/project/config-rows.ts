import { isMap, isScalar, isSeq, type Node } from "yaml";
import { mapAll, UserError } from "../errors";
import type { RowSettings, TableRowSettings, TableSteering } from "../model/row-settings";
import type { RowTier } from "../model/rows";
import { nearest } from "../nearest";
import { defaultRowKeys, mostRowsPerTable, rowSections, rowTiers, tableRowKeys } from "../settings/rows";
import {
  type Entry,
  isEmpty,
  readEntries,
  readKnown,
  type Source,
  scalarText,
  wrongType,
} from "./yaml-nodes";

type Section = keyof typeof rowSections;
type TableKey = keyof typeof tableRowKeys;

/** `rows:` of migration-gate.yml; undefined where it says nothing. Whether tables and columns are there is not looked at. */
export function rowsOf(node: Node | null, source: Source): RowSettings | undefined {
  let standard: TableSteering = {};
  let reference: readonly TableRowSettings[] = [];
  let tables: readonly TableRowSettings[] = [];
  const read: Readonly<Record<Section, (section: Node | null) => void>> = {
    default: (section) => {
      standard = steeringOf(section, "rows.default", defaultRowKeys, source);
    },
    reference: (section) => {
      reference = referenceOf(section, source);
    },
    tables: (section) => {
      tables = tablesOf(section, source);
    },
  };
  const names = Object.keys(rowSections) as Section[];
  const found = readSections(node, "rows", names, source, (entry) => read[entry.key](entry.node));
  if (found.length === 0) return undefined;
  const inBoth = reference.filter(({ table }) => tables.some((other) => other.table === table));
  mapAll(inBoth, ({ table, line }) => {
    throw new UserError({
      what: `${table} is in rows.reference and in rows.tables.`,
      where: `${source.file}:${line}`,
      why: "Nothing is put into a reference table.",
      do: "Keep one of them.",
    });
  });
  return { default: standard, tables: [...reference, ...tables] };
}

function readSections<Name extends string, Read>(
  node: Node | null,
  owner: string,
  allowed: readonly Name[],
  source: Source,
  read: (entry: Entry<Name>) => Read,
): Read[] {
  if (node === null || isEmpty(node)) return [];
  if (!isMap(node)) throw wrongType(owner, `a mapping of ${allowed.join(", ")}`, node, source);
  return readKnown(node, allowed, owner, source, read);
}

function referenceOf(node: Node | null, source: Source): TableRowSettings[] {
  if (node === null || isEmpty(node)) return [];
  return mapAll(itemsOf(node, "rows.reference", "a list of tables", source), (item) => ({
    table: scalarText(item, "an item of rows.reference", "the name of a table", source),
    line: source.line(item),
    skip: true,
  }));
}

function tablesOf(node: Node | null, source: Source): TableRowSettings[] {
  if (node === null || isEmpty(node)) return [];
  if (!isMap(node)) throw wrongType("rows.tables", "a mapping of tables", node, source);
  const keys = Object.keys(tableRowKeys) as TableKey[];
  return readEntries(node, source, ({ key, node: value, line }) => ({
    table: key,
    line,
    ...steeringOf(value, `rows.tables.${key}`, keys, source),
  }));
}

function steeringOf(
  node: Node | null,
  owner: string,
  keys: readonly TableKey[],
  source: Source,
): TableSteering {
  const parts = readSections(node, owner, keys, source, (entry) =>
    partOf(entry.key, entry.node, `${owner}.${entry.key}`, source),
  );
  return Object.assign({}, ...parts);
}

function partOf(key: TableKey, node: Node | null, owner: string, source: Source): TableSteering {
  switch (key) {
    case "rows":
      return { rows: countOf(node, owner, source) };
    case "tier":
      return { tier: tierOf(node, owner, source) };
    case "values":
      return { values: valuesOf(node, owner, source) };
    case "unique":
      return { unique: columnsOf(node, owner, source) };
    case "not-null":
      return { notNull: columnsOf(node, owner, source) };
  }
}

function countOf(node: Node | null, owner: string, source: Source): number {
  const text = scalarText(node, owner, "a number", source);
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= mostRowsPerTable) return number;
  throw new UserError({
    what: `${owner} is "${text}", which is no whole number from 1 to ${mostRowsPerTable}.`,
    where: source.at(node),
    do: "Write how many rows a table gets; a table that gets none stands in rows.reference.",
  });
}

function tierOf(node: Node | null, owner: string, source: Source): RowTier {
  const text = scalarText(node, owner, rowTiers.join(" or "), source);
  const tier = rowTiers.find((word) => word === text);
  if (tier !== undefined) return tier;
  throw new UserError({
    what: `${owner} is "${text}".`,
    where: source.at(node),
    seen: `Allowed are ${rowTiers.join(", ")}.`,
    do: `Set it to ${nearest(text, rowTiers)}.`,
  });
}

function valuesOf(node: Node | null, owner: string, source: Source): Record<string, readonly string[]> {
  if (!isMap(node)) throw wrongType(owner, "a mapping of columns, each with a list of values", node, source);
  return Object.fromEntries(
    readEntries(node, source, ({ key, node: list }) => [
      key,
      mapAll(itemsOf(list, `${owner}.${key}`, "a list of values", source), (item) => {
        // As it is written, blanks at its ends as well.
        if (isScalar(item) && !isEmpty(item)) return String(item.value);
        throw wrongType(
          `an item of ${owner}.${key}`,
          "a value (an empty one and null in quotes)",
          item,
          source,
        );
      }),
    ]),
  );
}

function columnsOf(node: Node | null, owner: string, source: Source): string[] {
  return mapAll(itemsOf(node, owner, "a list of columns", source), (item) =>
    scalarText(item, `an item of ${owner}`, "the name of a column", source),
  );
}

/** At least one. */
function itemsOf(node: Node | null, owner: string, wanted: string, source: Source): Node[] {
  if (isSeq(node) && node.items.length > 0) return node.items as Node[];
  throw wrongType(owner, wanted, node, source);
}
