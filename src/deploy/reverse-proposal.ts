import { dropStatement } from "../databases/postgres/remove-objects";
import type { CatalogChange, CatalogDelta, CatalogKind } from "../model/catalog";
import { identityOf, kindOf } from "../model/catalog";
import { placeOf } from "./drift";

/** Kinds in the order in which they can go; those of one row that DROP takes together go in one statement. */
const order: readonly { readonly kinds: readonly CatalogKind[]; readonly together?: string }[] = [
  { kinds: ["event trigger", "publication", "subscription"] },
  { kinds: ["trigger", "policy", "rule"] },
  { kinds: ["view"], together: "VIEW" },
  { kinds: ["materialized view"], together: "MATERIALIZED VIEW" },
  { kinds: ["constraint"] },
  { kinds: ["index"], together: "INDEX" },
  { kinds: ["statistics"] },
  { kinds: ["column"] },
  { kinds: ["table", "partitioned table"], together: "TABLE" },
  { kinds: ["foreign table"], together: "FOREIGN TABLE" },
  { kinds: ["aggregate"], together: "AGGREGATE" },
  { kinds: ["function"], together: "FUNCTION" },
  { kinds: ["procedure"], together: "PROCEDURE" },
  { kinds: ["operator", "conversion", "text search configuration", "text search dictionary"] },
  { kinds: ["sequence"], together: "SEQUENCE" },
  { kinds: ["domain"], together: "DOMAIN" },
  { kinds: ["enum type", "composite type", "range type", "base type"], together: "TYPE" },
  { kinds: ["collation", "server", "extension", "schema"] },
];

/** What goes with the object that has it. */
const holders: ReadonlySet<CatalogKind> = new Set([
  "table",
  "partitioned table",
  "foreign table",
  "view",
  "materialized view",
  "composite type",
  "domain",
]);

/**
 * A proposal of what undoes a recorded upgrade: objects that it made are dropped, in an order that works as a rule; what
 * it changed or dropped is told in comments, because nobody knows from the catalog what was in it. Without semicolons.
 */
export function proposeReverse(changes: CatalogDelta): string[] {
  const made = changes.filter(({ before }) => before === undefined);
  const places = new Set(
    made.filter(({ key }) => holders.has(kindOf(key))).map(({ key }) => identityOf(key)),
  );
  const constraints = new Set(
    made.filter(({ key }) => kindOf(key) === "constraint").map(({ key }) => lastPart(identityOf(key))),
  );
  const goesAlone = ({ key, after }: CatalogChange): boolean => {
    const kind = kindOf(key);
    if (holders.has(kind)) return true;
    if (places.has(placeOf(key, after))) return false;
    // A unique constraint has an index of its name.
    return kind !== "index" || !constraints.has(lastPart(identityOf(key)));
  };
  const alone = made.filter(goesAlone);
  const drops = order.flatMap(({ kinds, together }) => {
    const keys = alone.map(({ key }) => key).filter((key) => kinds.includes(kindOf(key)));
    if (together !== undefined && keys.length > 0)
      return [`DROP ${together} ${keys.map(identityOf).join(", ")}`];
    return keys.flatMap((key) => dropStatement(key) ?? []);
  });
  return [...drops, ...changes.flatMap(remark)];
}

function remark({ key, before, after }: CatalogChange): string[] {
  if (before === undefined || kindOf(key) === "column order") return [];
  if (after === undefined) return [`-- ${key} was dropped: create it again; its rows are in a backup only`];
  const [was, is] = [before, after].map((text) => JSON.parse(text) as unknown);
  if (!isRecord(was) || !isRecord(is)) return [`-- ${key} was changed: bring it back`];
  const fields = Object.keys({ ...was, ...is })
    .filter((name) => JSON.stringify(was[name]) !== JSON.stringify(is[name]))
    .map((name) => `${name} ${JSON.stringify(was[name]) ?? "none"}`);
  const text = fields.join(", ").replace(/\s+/g, " ");
  return [`-- ${key} was changed: bring back ${text.length > 300 ? `${text.slice(0, 300)}…` : text}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function lastPart(identity: string): string {
  return /(?:"(?:[^"]|"")+"|[^".]+)$/.exec(identity)?.[0] ?? identity;
}
