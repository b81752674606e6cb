import { isMap, isScalar, isSeq, type Node, type YAMLMap } from "yaml";
import { UserError } from "../errors";
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

/** A mapping of scalars, with no other keys than these. UserError names the nearest one. */
export function textFields<Name extends string>(
  map: YAMLMap,
  allowed: readonly Name[],
  owner: string,
  source: Source,
): { readonly [Field_ in Name]?: Field } {
  const fields: Partial<Record<Name, Field>> = {};
  for (const { key, node } of knownEntries(map, allowed, owner, source)) {
    fields[key] = {
      text: scalarText(node, `${owner}: ${key}`, "one value", source),
      place: source.at(node),
    };
  }
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

/** The pairs of a mapping with no other keys than these. UserError names the nearest one. */
export function knownEntries<Name extends string>(
  map: YAMLMap,
  allowed: readonly Name[],
  owner: string,
  source: Source,
): Entry<Name>[] {
  return entriesOf(map, source).map(({ key, ...rest }) => {
    const name = allowed.find((candidate) => candidate === key);
    if (name !== undefined) return { key: name, ...rest };
    throw new UserError({
      what: `${owner} has no "${key}".`,
      where: rest.place,
      seen: `Allowed are ${allowed.join(", ")}.`,
      do: `${suggestion(key, allowed)}Write one of the allowed words.`,
    });
  });
}

/** The pairs of a mapping whose keys are scalars. */
export function entriesOf(map: YAMLMap, source: Source): Entry[] {
  return map.items.map((pair) => {
    const place = source.at(pair.key);
    if (isScalar(pair.key)) {
      const { value } = pair.key;
      return { key: String(value), node: pair.value as Node | null, place, line: source.line(pair.key) };
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
