import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { mapAll, UserError } from "../errors";
import { suggestion } from "../nearest";

/** A YAML file as messages name its places. */
export interface Source {
  readonly file: string;
  at(node: unknown): string;
  line(node: Node): number;
}

/** A scalar's text and where it stands. */
export interface Field {
  readonly text: string;
  readonly place: string;
}

/** A mapping of scalars, with no other keys than these. UserError names the nearest one, and has what `check` refuses. */
export function textFields<Name extends string>(
  map: YAMLMap,
  allowed: readonly Name[],
  owner: string,
  source: Source,
  check: (name: Name, field: Field) => void = () => undefined,
): { readonly [Field_ in Name]?: Field } {
  const fields: Partial<Record<Name, Field>> = {};
  readKnown(map, allowed, owner, source, ({ key, node }) => {
    const field = {
      text: scalarText(node, `${owner}: ${key}`, "one value", source),
      place: source.at(node),
    };
    check(key, field);
    fields[key] = field;
  });
  return fields;
}

/** One pair of a mapping: what stands before the colon, and what after it. */
export interface Entry<Name extends string = string> {
  readonly key: Name;
  readonly node: Node | null;
  readonly place: string;
  /** Of the key, from 1. */
  readonly line: number;
}

/** What is read of each pair of a mapping with no other keys than these. UserError names the nearest one. */
export function readKnown<Name extends string, Read>(
  map: YAMLMap,
  allowed: readonly Name[],
  owner: string,
  source: Source,
  read: (entry: Entry<Name>) => Read,
): Read[] {
  return readEntries(map, source, ({ key, ...rest }) => {
    const name = allowed.find((candidate) => candidate === key);
    if (name !== undefined) return read({ key: name, ...rest });
    throw new UserError({
      what: `${owner} has no "${key}".`,
      where: rest.place,
      seen: `Allowed are ${allowed.join(", ")}.`,
      do: `${suggestion(key, allowed)}Write one of the allowed words.`,
    });
  });
}

/** What is read of each pair of a mapping whose keys are scalars. UserError has all that is wrong with any of them. */
export function readEntries<Read>(map: YAMLMap, source: Source, read: (entry: Entry) => Read): Read[] {
  return mapAll(map.items, (pair) => {
    const place = source.at(pair.key);
    if (isScalar(pair.key)) {
      const { value } = pair.key;
      const line = source.line(pair.key);
      return read({ key: String(value), node: pair.value as Node | null, place, line });
    }
    throw new UserError({ what: "A key is no text.", where: place, do: "Write a name before the colon." });
  });
}

/** The trimmed text of a scalar that is there. */
export function scalarText(node: unknown, name: string, wanted: string, source: Source): string {
  if (isScalar(node) && !isEmpty(node)) return String(node.value).trim();
  throw wrongType(name, wanted, node, source);
}

/** Nothing after the colon, or YAML's words for nothing, unless they are in quotes. */
export function isEmpty(node: unknown): boolean {
  return isScalar(node) && node.type === "PLAIN" && /^(?:|~|null)$/.test(String(node.value));
}

/** `name` is of another kind than `wanted`. */
export function wrongType(name: string, wanted: string, node: unknown, source: Source): UserError {
  const found = isMap(node)
    ? "a mapping"
    : isSeq(node)
      ? node.items.length === 0
        ? "an empty list"
        : "a list"
      : isEmpty(node)
        ? "nothing"
        : "a text";
  return new UserError({
    what: `${name} is ${found}, and ${wanted} is expected.`,
    where: source.at(node),
    do: `Write ${wanted}, or leave it out.`,
  });
}
