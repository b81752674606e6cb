import { type CatalogChange, type CatalogDelta, identityOf, kindOf } from "../model/catalog";
import type { Change, QualifiedName } from "../model/operation";
import { readSql } from "../operations/read-sql";

/** A table, or a column of one; names unquoted. */
interface Place {
  readonly schema: string;
  readonly table: string;
  readonly column: string | undefined;
}

type Renaming = Extract<Change, { kind: "renameTable" | "renameColumn" }>;

/**
 * Keys of tables and columns that are gone and have another name now: a statement renamed them, what has the new name
 * was not there before, and a column's type is the same. `libpg-query`'s loadModule() must have resolved before.
 */
export function renamedKeys(changes: CatalogDelta, statements: readonly string[]): ReadonlySet<string> {
  const renamings = statements
    .flatMap((sql) => readSql(sql).changes.map(({ change }) => change))
    .filter((change) => change.kind === "renameTable" || change.kind === "renameColumn");
  if (renamings.length === 0) return new Set();
  const text = statements.join("\n");
  const fresh = changes.filter(({ before }) => before === undefined);
  const isKept = (gone: CatalogChange): boolean => {
    const place = placeOf(gone.key);
    if (gone.after !== undefined || place === undefined) return false;
    // Partitions and heirs follow their parent, which alone is named.
    const followsParent = !text.includes(place.table);
    const now = renamings.reduce((at, renaming) => placeAfter(at, renaming, followsParent), place);
    return fresh.some(({ key, after }) => isPlace(key, now) && typeOf(after) === typeOf(gone.before));
  };
  return new Set(changes.filter(isKept).map(({ key }) => key));
}

function placeAfter(place: Place, renaming: Renaming, followsParent: boolean): Place {
  const isOwn = isTable(place, renaming.table);
  if (renaming.kind === "renameTable") {
    const { schema = place.schema, name } = renaming.to;
    return isOwn ? { ...place, schema, table: name } : place;
  }
  const isMeant = place.column === renaming.column && (isOwn || followsParent);
  return isMeant ? { ...place, column: renaming.to } : place;
}

/** Without a schema it may be any table of that name. */
function isTable(place: Place, { schema, name }: QualifiedName): boolean {
  return place.table === name && (schema === undefined || schema === place.schema);
}

function isPlace(key: string, { schema, table, column }: Place): boolean {
  const place = placeOf(key);
  return place?.schema === schema && place.table === table && place.column === column;
}

const partOfName = /"(?:[^"]|"")*"|[^."]+/g;

/** Of a column, a table or a partitioned one; undefined for what holds no rows. */
function placeOf(key: string): Place | undefined {
  const kind = kindOf(key);
  if (kind !== "column" && kind !== "table" && kind !== "partitioned table") return undefined;
  const [schema = "", table = "", column] = (identityOf(key).match(partOfName) ?? []).map((part) =>
    part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part,
  );
  return { schema, table, column: kind === "column" ? column : undefined };
}

/** A column's; undefined of a table. */
export function typeOf(definition: string | undefined): unknown {
  return definition === undefined ? undefined : (JSON.parse(definition) as { type?: unknown }).type;
}
