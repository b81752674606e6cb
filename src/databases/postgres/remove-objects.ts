import type { Client } from "pg";
import { type CatalogKind, identityOf, kindOf } from "../../model/catalog";

/** Kinds whose DROP takes the identity as it stands. */
const dropWords: Partial<Record<CatalogKind, string>> = {
  table: "TABLE",
  "partitioned table": "TABLE",
  "foreign table": "FOREIGN TABLE",
  view: "VIEW",
  "materialized view": "MATERIALIZED VIEW",
  sequence: "SEQUENCE",
  index: "INDEX",
  "enum type": "TYPE",
  "composite type": "TYPE",
  "range type": "TYPE",
  "base type": "TYPE",
  domain: "DOMAIN",
  function: "FUNCTION",
  procedure: "PROCEDURE",
  aggregate: "AGGREGATE",
  schema: "SCHEMA",
  extension: "EXTENSION",
  collation: "COLLATION",
  statistics: "STATISTICS",
  conversion: "CONVERSION",
  operator: "OPERATOR",
  "text search configuration": "TEXT SEARCH CONFIGURATION",
  "text search dictionary": "TEXT SEARCH DICTIONARY",
  "event trigger": "EVENT TRIGGER",
  server: "SERVER",
  publication: "PUBLICATION",
  role: "ROLE",
};

/**
 * Drops objects by their catalog keys, never with CASCADE, as often as some can still be dropped: what depends on
 * another one goes first. Objects that cannot be dropped stay, without an error.
 */
export async function removeObjects(client: Client, keys: readonly string[]): Promise<void> {
  let left = keys.flatMap((key) => dropStatement(key) ?? []);
  for (let before = Number.POSITIVE_INFINITY; left.length > 0 && left.length < before; ) {
    before = left.length;
    const failed: string[] = [];
    for (const statement of left) {
      await client.query(statement).catch(() => failed.push(statement));
    }
    left = failed;
  }
}

/** The statement that drops an object; undefined for kinds that are a part or a setting of something else. */
export function dropStatement(key: string): string | undefined {
  const kind = kindOf(key);
  const identity = identityOf(key);
  const word = dropWords[kind];
  if (word !== undefined) return `DROP ${word} ${identity}`;
  const [owner, name] = splitLast(identity);
  switch (kind) {
    case "column":
      return `ALTER TABLE ${owner} DROP COLUMN ${name}`;
    case "constraint":
      return `ALTER TABLE ${owner} DROP CONSTRAINT ${name}`;
    case "trigger":
    case "policy":
    case "rule":
      return `DROP ${kind.toUpperCase()} ${name} ON ${owner}`;
    default:
      return undefined;
  }
}

/** `a."b.c".d` → [`a."b.c"`, `d`]. */
function splitLast(identity: string): [owner: string, name: string] {
  const name = /(?:"(?:[^"]|"")+"|[^".]+)$/.exec(identity)?.[0] ?? identity;
  return [identity.slice(0, Math.max(0, identity.length - name.length - 1)), name];
}
